/// One element of `Sec-WebSocket-Extensions`: a name, and parameters with or without value.
struct ExtensionOffer: Equatable, Sendable {
    var name: String
    var parameters: [(name: String, value: String?)]

    init(_ text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmingHTTPSpace() }
        self.name = parts.first.map(String.init) ?? ""
        self.parameters = parts.dropFirst().map { part in
            guard let equals = part.firstIndex(of: "=") else { return (part.lowercased(), nil) }
            var value = part[part.index(after: equals)...].trimmingHTTPSpace()
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            return (part[..<equals].trimmingHTTPSpace().lowercased(), String(value))
        }
    }

    static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.parameters.elementsEqual(right.parameters) { $0 == $1 }
    }
}

extension WebSocketDeflateParameters {
    private static let name = "permessage-deflate"
    /// What our client asks for: neither side keeps a window between messages; and the server may ask for a smaller one.
    static let offer =
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover; client_max_window_bits"

    /// The first offer of a client that the server can take; nil declines all.
    public static func accepting(_ headers: [WebSocketHeader], _ options: WebSocketDeflateOptions) -> Self? {
        for text in headers.list("sec-websocket-extensions").prefix(16) {
            let offer = ExtensionOffer(text)
            guard offer.name.equalsIgnoringASCIICase(self.name) else { continue }
            guard let parameters = Self(offer, isResponse: false) else { continue }
            if parameters.serverMaxWindowBits < 15, !options.acceptsSmallerWindow { continue }
            return parameters
        }
        return nil
    }

    /// The answer that grants it. Without takeover in either direction, whether asked for or not: a server may say so.
    public var response: String {
        let window = self.serverMaxWindowBits < 15 ? "; server_max_window_bits=\(self.serverMaxWindowBits)" : ""
        return "\(Self.name); server_no_context_takeover; client_no_context_takeover\(window)"
    }

    /// A server's answer to our client's offer; nil if it may not answer so.
    init?(response text: String) {
        let answer = ExtensionOffer(text)
        guard answer.name.equalsIgnoringASCIICase(Self.name) else { return nil }
        self.init(answer, isResponse: true)
    }

    private init?(_ offer: ExtensionOffer, isResponse: Bool) {
        self.init()
        if isResponse { self.serverNoContextTakeover = false }
        var seen: Set<String> = []
        for (name, value) in offer.parameters {
            guard seen.insert(name).inserted else { return nil }
            switch (name, value) {
            case ("server_no_context_takeover", nil): self.serverNoContextTakeover = true
            case ("client_no_context_takeover", nil): self.clientNoContextTakeover = true
            case ("server_max_window_bits", let value?):
                guard let bits = Self.windowBits(value) else { return nil }
                // We inflate with the largest window, so as a client any will do. As a server we deflate, and zlib
                // has no raw window of 8 bits: such an offer is declined.
                if !isResponse, bits == 8 { return nil }
                self.serverMaxWindowBits = bits
            case ("client_max_window_bits", nil):
                // A hint that the client could use less; only an offer may leave out the number.
                if isResponse { return nil }
            case ("client_max_window_bits", let value?):
                guard let bits = Self.windowBits(value) else { return nil }
                if isResponse { self.clientMaxWindowBits = bits }
            default: return nil
            }
        }
    }

    private static func windowBits(_ text: String) -> Int? {
        guard !text.hasPrefix("0"), !text.hasPrefix("+"), let bits = Int(text), (8...15).contains(bits) else {
            return nil
        }
        return bits
    }
}
