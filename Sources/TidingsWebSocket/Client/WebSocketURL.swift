/// A ws or wss address (http and https mean the same), split into what a connection needs.
public struct WebSocketURL: Hashable, Sendable, CustomStringConvertible {
    public var isSecure: Bool
    /// Without the brackets of an IPv6 address.
    public var host: String
    public var port: Int
    /// Path and query, as sent in the request line.
    public var path: String

    public init(isSecure: Bool, host: String, port: Int, path: String = "/") {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.path = path
    }

    public init(_ text: String) throws(WebSocketError) {
        func invalid(_ message: String) -> WebSocketError { WebSocketError(.invalidURL, message) }
        guard text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw invalid("A URL is printable ASCII, at most 8192 bytes of it")
        }
        guard let mark = text.firstIndex(of: ":"), text[mark...].hasPrefix("://") else { throw invalid("No scheme") }
        switch text[..<mark].lowercased() {
        case "ws", "http": self.isSecure = false
        case "wss", "https": self.isSecure = true
        default: throw invalid("The scheme is not ws or wss")
        }
        let rest = text[text.index(mark, offsetBy: 3)...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw invalid("A WebSocket URL takes no user: send a header") }
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { throw invalid("No closing bracket") }
            self.host = String(authority[authority.index(after: authority.startIndex)..<bracket])
            let after = authority[authority.index(after: bracket)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw invalid("What follows the bracket is no port") }
            if !after.isEmpty { portText = after.dropFirst() }
        } else {
            let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            self.host = parts.first.map(String.init) ?? ""
            if parts.count > 1 { portText = parts[1] }
        }
        guard !self.host.isEmpty else { throw invalid("No host") }
        self.port = self.isSecure ? 443 : 80
        if let portText, !portText.isEmpty {
            guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(portText),
                (1...65535).contains(port)
            else { throw invalid("The port is not a number from 1 to 65535") }
            self.port = port
        }
        let path = rest[authority.endIndex...]
        self.path = path.hasPrefix("/") ? String(path) : "/" + path
    }

    /// Host and, unless it is the usual one, port: the `Host` header.
    var hostHeader: String { self.port == (self.isSecure ? 443 : 80) ? self.bracketedHost : self.authority }

    /// Host and port always: what CONNECT asks for.
    var authority: String { "\(self.bracketedHost):\(self.port)" }

    private var bracketedHost: String { self.host.contains(":") ? "[\(self.host)]" : self.host }

    /// The address without its query, which may hold a key.
    public var description: String {
        "\(self.isSecure ? "wss" : "ws")://\(self.hostHeader)\(self.path.prefix { $0 != "?" })"
    }
}
