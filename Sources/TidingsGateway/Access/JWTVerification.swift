import JWTKit
import Tidings

extension JWTKeySet {
    /// Why a token is not accepted, in words that hold nothing of it.
    struct Refusal: Error, Equatable {
        var isExpired = false
        let message: String

        init(_ message: String, isExpired: Bool = false) {
            self.message = message
            self.isExpired = isExpired
        }
    }

    /// The longest token looked at, in bytes.
    static let maximumTokenBytes = 16 << 10

    /// Whose token it is (RFC 7519 section 7.2, RFC 8725 section 3).
    func principal(of token: String, at now: Timestamp) throws(Refusal) -> Principal {
        let text = Array(token.utf8)
        guard text.count <= Self.maximumTokenBytes else { throw Refusal("The token is too long") }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw Refusal("The token is not a JWT") }
        let key = try self.key(for: header)
        let signed = Array(text[..<parts[1].endIndex])
        guard (try? key.algorithm.verify(signature, signs: signed)) == true else {
            throw Refusal("The token's signature is not right")
        }
        return try self.principal(claims, .jwt(key: key.fingerprint, token: SHA256Sum(of: text)), now)
    }

    private static func object(_ part: ArraySlice<UInt8>) -> JSONObject? {
        guard let bytes = Base64URL.decode(part) else { return nil }
        return bytes.withUnsafeBytes { try? JSONObject(json: $0) }
    }

    /// The key is chosen by its id, and says itself which algorithm it is for.
    private func key(for header: JSONObject) throws(Refusal) -> Key {
        guard let algorithm = header["alg"]?.string else { throw Refusal("The token's header names no algorithm") }
        // RFC 7515 section 4.1.11: what has to be understood and is not.
        guard header["crit"] == nil else { throw Refusal("The token's header has extensions") }
        var candidates = self.keys
        if let value = header["kid"], value != .null {
            guard let id = value.string else { throw Refusal("The token's header has a kid that is no text") }
            candidates = candidates.filter { $0.id == id }
            // A set of one key without an id leaves nothing to choose.
            if candidates.isEmpty, self.keys.count == 1, self.keys[0].id == nil { candidates = self.keys }
            guard !candidates.isEmpty else { throw Refusal("The token was signed with a key that is not known") }
        } else if self.keys.count > 1 {
            throw Refusal("The token's header has no kid, which is needed as there are several keys")
        }
        let name = algorithm == "Ed25519" ? "EdDSA" : algorithm
        guard let key = candidates.first(where: { $0.algorithm.name == name }) else {
            throw Refusal("The token's algorithm is not that of its key")
        }
        return key
    }

    // MARK: Claims

    private func principal(
        _ claims: JSONObject, _ credential: Principal.Credential, _ now: Timestamp
    ) throws(Refusal) -> Principal {
        let expires = try Self.time("exp", claims)
        if let expires, expires <= now { throw Refusal("The token has expired", isExpired: true) }
        if let start = try Self.time("nbf", claims), start > now { throw Refusal("The token is not valid yet") }
        try self.checkAudience(claims)
        guard let name = (claims["sub"] ?? claims["client_id"] ?? "jwt").string, (1...128).contains(name.utf8.count),
            !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw Refusal("The token's sub must be text of 1 to 128 bytes") }
        var types: [EventTypePattern] = []
        for text in try Self.texts("types", claims) {
            guard let pattern = EventTypePattern(text) else {
                throw Refusal("The token's types must be event types or patterns such as login.*")
            }
            types.append(pattern)
        }
        let symbols = try Self.texts("symbols", claims).map { Name($0) }
        return Principal(
            name: name, scopes: try Self.scopes(claims), rights: EventRights(types: types, symbols: symbols),
            expires: expires, credential: credential)
    }

    /// RFC 7519 section 4.1.3.
    private func checkAudience(_ claims: JSONObject) throws(Refusal) {
        switch (self.audience, claims["aud"] ?? .null) {
        case (nil, .null): return
        case (let audience?, .string(let text)) where text == audience: return
        case (let audience?, .array(let list)) where list.contains(.string(audience)): return
        case (nil, _): throw Refusal("The token is for somebody, and access.jwt.audience does not say who we are")
        default: throw Refusal("The token is for somebody else")
        }
    }

    /// `scope` as text with spaces (RFC 8693 section 4.2) or as a list; those that mean something elsewhere are passed
    /// over.
    private static func scopes(_ claims: JSONObject) throws(Refusal) -> Set<AccessScope> {
        switch claims["scope"] ?? .null {
        case .null: return []
        case .string(let text): return Set(text.split(separator: " ").compactMap { AccessScope(rawValue: String($0)) })
        case .array(let list): return Set(list.compactMap { $0.string.flatMap { AccessScope(rawValue: $0) } })
        default: throw Refusal("The token's scope must be text or a list")
        }
    }

    /// A list of texts, or one text. What is anything else must not mean "any".
    private static func texts(_ name: String, _ claims: JSONObject) throws(Refusal) -> [String] {
        switch claims[name] ?? .null {
        case .null: return []
        case .string(let text) where (1...128).contains(text.utf8.count): return [text]
        case .array(let list) where list.count <= 1000:
            var texts: [String] = []
            for element in list {
                guard let text = element.string, (1...128).contains(text.utf8.count) else { break }
                texts.append(text)
            }
            if texts.count == list.count { return texts }
        default: break
        }
        throw Refusal("The token's \(name) must be a list of texts")
    }

    /// A NumericDate: seconds since 1970, perhaps with a fraction.
    private static func time(_ name: String, _ claims: JSONObject) throws(Refusal) -> Timestamp? {
        switch claims[name] ?? .null {
        case .null: return nil
        case .number(let number):
            guard let seconds = Double(number.description), seconds.isFinite, abs(seconds) < 9e9 else { break }
            return Timestamp(nanoseconds: Int64(seconds * 1e9))
        default: break
        }
        throw Refusal("The token's \(name) must be a number of seconds since 1970")
    }
}
