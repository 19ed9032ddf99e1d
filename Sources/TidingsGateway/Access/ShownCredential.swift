/// What a request shows of who sends it.
enum ShownCredential: Equatable {
    case none
    /// From `Authorization: Bearer T` (RFC 6750 section 2.1), or the subprotocol `bearer.T` of a browser's WebSocket.
    case token(String)
    /// The id from the cookie.
    case session(String)
    /// Something that cannot be right.
    case malformed(String)

    static let cookieName = "tidings_session"
    static let subprotocolPrefix = "bearer."

    /// - Parameters:
    ///   - authorization: all `Authorization` headers.
    ///   - cookies: all `Cookie` headers.
    ///   - subprotocols: what a WebSocket offers.
    init(authorization: [String], cookies: [String], subprotocols: [String] = []) {
        if let header = authorization.first {
            guard authorization.count == 1 else {
                self = .malformed("There are several Authorization headers")
                return
            }
            let parts = header.split(separator: " ", maxSplits: 1)
            guard let scheme = parts.first, scheme.lowercased() == "bearer", parts.count == 2,
                Self.isToken(parts[1])
            else {
                self = .malformed("The Authorization header must be 'Bearer' and a token")
                return
            }
            self = .token(String(parts[1]))
            return
        }
        let offered = subprotocols.filter { $0.hasPrefix(Self.subprotocolPrefix) }
        if let first = offered.first {
            let token = first.dropFirst(Self.subprotocolPrefix.count)
            guard offered.count == 1, Self.isToken(token) else {
                self = .malformed("The subprotocol must be 'bearer.' and a token, once")
                return
            }
            self = .token(String(token))
            return
        }
        self = Self.session(in: cookies).map { .session($0) } ?? .none
    }

    /// The id in the cookies (RFC 6265 section 4.2.1). The first one counts: with several paths it is the closest.
    static func session(in cookies: [String]) -> String? {
        for header in cookies {
            for pair in header.split(separator: ";") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard sides.count == 2, sides[0].drop(while: { $0 == " " }) == Self.cookieName else { continue }
                return String(sides[1].prefix { $0 != " " })
            }
        }
        return nil
    }

    /// RFC 6750 section 2.1, `b64token`; and a bound.
    private static func isToken(_ text: Substring) -> Bool {
        (1...JWTKeySet.maximumTokenBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~+/=".utf8.contains(byte)
                }
            }
    }

    /// The subprotocol to answer with: one that is spoken here, else whatever stands beside the token, else the token's
    /// own. A browser gives up on a connection whose server chooses none of those it offered.
    static func selectSubprotocol(_ offered: [String], spoken: [String]) -> String? {
        if let known = offered.first(where: { spoken.contains($0) }) { return known }
        guard let bearer = offered.first(where: { $0.hasPrefix(Self.subprotocolPrefix) }) else { return nil }
        return offered.first { !$0.hasPrefix(Self.subprotocolPrefix) } ?? bearer
    }
}
