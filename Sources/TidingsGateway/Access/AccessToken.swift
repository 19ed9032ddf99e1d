public import Tidings

/// An entry of the token file: who may come in, and for what. The token itself is not in it, only its SHA-256.
public struct AccessToken: Hashable, Sendable {
    /// 1 to 128 bytes; the `source` of events that name none.
    public let name: String
    /// Of the token's UTF-8.
    public let sha256: SHA256Sum
    public let scopes: Set<AccessScope>
    /// The types its holder may see and send; empty when any.
    public let types: [EventTypePattern]
    /// The symbols whose events its holder may see and send; empty when any.
    public let symbols: [String]
    /// From when on it is worth nothing; nil for never.
    public let expires: Timestamp?

    /// - Throws: ``AccessError`` for a name that is no event's source, or no scopes.
    public init(
        name: String, sha256: SHA256Sum, scopes: Set<AccessScope>, types: [EventTypePattern] = [],
        symbols: [String] = [], expires: Timestamp? = nil
    ) throws(AccessError) {
        guard (1...128).contains(name.utf8.count), !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw AccessError(field: "name", "must have 1 to 128 bytes and no control characters")
        }
        guard !scopes.isEmpty else {
            throw AccessError(field: "scopes", "must name at least one of read, publish, admin")
        }
        guard symbols.allSatisfy({ (1...128).contains($0.utf8.count) }) else {
            throw AccessError(field: "symbols", "a symbol has 1 to 128 bytes")
        }
        self.name = name
        self.sha256 = sha256
        self.scopes = scopes
        self.types = types
        self.symbols = symbols
        self.expires = expires
    }

    /// A fresh token of 256 random bits, as text that fits into a header and a WebSocket subprotocol.
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return "tidings_" + Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    var principal: Principal {
        Principal(
            name: self.name, scopes: self.scopes,
            rights: EventRights(types: self.types, symbols: self.symbols.map { Name($0) }), expires: self.expires,
            credential: .token(self.sha256))
    }
}

/// What is wrong with an access token's entry or with a set of keys.
public struct AccessError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where, such as `keys[0].n`; empty for the whole.
    public let field: String
    public let message: String

    public init(field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { self.field.isEmpty ? self.message : "\(self.field): \(self.message)" }
}
