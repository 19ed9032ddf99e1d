import Foundation
import TidingsWebSocket

/// Where a connector connects to, from its configuration and its venue.
struct ConnectorAddresses: Sendable {
    let webSocket: WebSocketURL
    /// Scheme, host and port, without a path.
    let rest: String
    let proxy: WebSocketClientConfiguration.Proxy?

    init(_ configuration: ConnectorConfiguration, _ venue: any Venue) throws(ConnectorError) {
        let own = try Self.parse(venue.endpoint, "endpoint of \(venue.name)")
        if let endpoint = configuration.endpoint {
            var url = try Self.parse(endpoint, "endpoint")
            if url.path == "/" { url.path = own.path }
            self.webSocket = url
        } else {
            self.webSocket = own
        }
        if let rest = configuration.rest {
            guard rest.lowercased().hasPrefix("http") else {
                throw ConnectorError(.invalidEndpoint, "rest: '\(rest)' is no HTTP address")
            }
            _ = try Self.parse(rest, "rest")
            self.rest = rest
        } else if configuration.endpoint != nil {
            self.rest = Self.origin(self.webSocket)
        } else {
            self.rest = venue.rest
        }
        self.proxy = try configuration.proxy.map { text throws(ConnectorError) in try Self.proxy(text) }
    }

    private static func parse(_ text: String, _ field: String) throws(ConnectorError) -> WebSocketURL {
        do throws(WebSocketError) {
            return try WebSocketURL(text)
        } catch {
            throw ConnectorError(.invalidEndpoint, "\(field): '\(text)' cannot be used: \(error.message)")
        }
    }

    private static func origin(_ url: WebSocketURL) -> String {
        let host = url.host.contains(":") ? "[\(url.host)]" : url.host
        return "\(url.isSecure ? "https" : "http")://\(host):\(url.port)"
    }

    /// `http://[user:password@]host:port`. The text may hold a password: no message repeats it.
    private static func proxy(_ text: String) throws(ConnectorError) -> WebSocketClientConfiguration.Proxy {
        let scheme = "http://"
        guard text.lowercased().hasPrefix(scheme) else {
            throw ConnectorError(.invalidProxy, "proxy: must be http://host:port")
        }
        var rest = text.dropFirst(scheme.count)
        var (user, password): (String?, String?)
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.compactMap { String($0).removingPercentEncoding }
            guard decoded.count == parts.count, let first = decoded.first else {
                throw ConnectorError(.invalidProxy, "proxy: user and password cannot be read")
            }
            user = first
            password = decoded.count > 1 ? decoded[1] : nil
            rest = rest[rest.index(after: at)...]
        }
        do throws(WebSocketError) {
            let url = try WebSocketURL(scheme + rest)
            guard url.path == "/" else { throw WebSocketError(.invalidURL, "a proxy has no path") }
            return WebSocketClientConfiguration.Proxy(host: url.host, port: url.port, user: user, password: password)
        } catch {
            throw ConnectorError(.invalidProxy, "proxy: must be http://host:port: \(error.message)")
        }
    }
}
