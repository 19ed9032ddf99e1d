internal import Foundation

/// Where a webhook posts to, with what must not be seen kept apart.
struct WebhookEndpoint: Sendable {
    /// The address without credentials, as the client needs it.
    let url: String
    /// Host, and port where one is given.
    let host: String
    /// What may be shown: scheme, host and port. Chat services put the key into the path.
    let origin: String
    /// `Authorization`, made of the URL's credentials.
    let authorization: String?
    /// Texts that a server might send back to us and that must not be passed on.
    let secrets: [String]

    init(_ text: String) throws(WebhookConfigurationError) {
        // The text itself is in no message: it may hold a key.
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            scheme == "https" || scheme == "http"
        else { throw WebhookConfigurationError("url", "must begin with https:// or http://") }
        guard let host = parts.host, !host.isEmpty else { throw WebhookConfigurationError("url", "names no host") }
        let port = parts.port
        if let port, !(1...65_535).contains(port) {
            throw WebhookConfigurationError("url", "the port must be 1...65535")
        }
        var bare = parts
        bare.user = nil
        bare.password = nil
        bare.fragment = nil
        guard let url = bare.string, URL(string: url)?.host != nil else {
            throw WebhookConfigurationError("url", "is no address")
        }
        self.url = url
        self.host = (parts.encodedHost ?? host) + (port.map { ":\($0)" } ?? "")
        self.origin = "\(scheme)://\(self.host)"
        var secrets = [parts.percentEncodedPath, parts.path, parts.percentEncodedQuery, parts.query]
        secrets += parts.path.split(separator: "/").map(String.init)
        secrets += (parts.queryItems ?? []).map(\.value)
        if let user = parts.user {
            let password = parts.password ?? ""
            let encoded = Data("\(user):\(password)".utf8).base64EncodedString()
            self.authorization = "Basic \(encoded)"
            secrets += [user, password, encoded, parts.percentEncodedPassword]
        } else {
            self.authorization = nil
        }
        self.secrets = secrets.compactMap { $0 }
    }
}
