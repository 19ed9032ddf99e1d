import ArgumentParser
import Foundation
import Tidings

/// Where a running server is.
struct ServerOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The server. [env: TIDINGS_URL] (default: http://127.0.0.1:8765)", valueName: "url"))
    var url: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Certificates (PEM) to believe in besides the system's. [env: TIDINGS_CA_FILE, SSL_CERT_FILE]",
            valueName: "file"))
    var caFile: String?

    @OptionGroup var access: TokenOptions

    func validate() throws {
        _ = try self.server()
    }

    /// The server's base address, without a slash at its end.
    func server() throws(ValidationError) -> ServerAddress {
        let text = self.url ?? ProcessInfo.processInfo.environment["TIDINGS_URL"] ?? "http://127.0.0.1:8765"
        guard let address = ServerAddress(text) else {
            throw ValidationError("--url: '\(text)' is not an address such as http://127.0.0.1:8765")
        }
        return ServerAddress(address, trust: try ServerTrust(self.caFile))
    }
}

/// A gateway's address.
struct ServerAddress: Sendable {
    let http: String
    let webSocket: String
    /// Whom to believe that it is the server; nil for the system's authorities.
    let trust: ServerTrust?
    /// What it is shown; nil for nothing.
    var token: ServerToken?

    /// The same, shown a token if one is given.
    func shown(_ options: TokenOptions) throws(CommandError) -> ServerAddress {
        var address = self
        address.token = try options.shown()
        return address
    }

    init(_ address: ServerAddress, trust: ServerTrust) {
        self.http = address.http
        self.webSocket = address.webSocket
        self.trust = trust
    }

    init?(_ text: String) {
        guard let components = URLComponents(string: text), let host = components.host, !host.isEmpty,
            let scheme = components.scheme, ["http", "https", "ws", "wss"].contains(scheme)
        else { return nil }
        let isSecure = scheme == "https" || scheme == "wss"
        let port = components.port.map { ":\($0)" } ?? ""
        let path = components.path.hasSuffix("/") ? String(components.path.dropLast()) : components.path
        self.http = "\(isSecure ? "https" : "http")://\(host)\(port)\(path)"
        self.trust = nil
        self.webSocket = "\(isSecure ? "wss" : "ws")://\(host)\(port)\(path)/ws"
    }
}
