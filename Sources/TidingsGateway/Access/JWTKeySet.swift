import Crypto
import JWTKit
import Tidings

/// The keys that JSON Web Tokens are signed with, from a JWK set (RFC 7517 section 5).
///
/// Each key is good for the one algorithm of its type and for no other, whatever a token says (RFC 8725 section 3.1):
/// `oct` for HS256, `EC` on P-256 for ES256, `RSA` for RS256, `OKP` on Ed25519 for EdDSA. `none` has no key.
public struct JWTKeySet: Sendable {
    struct Key: Sendable {
        /// `kid`.
        let id: String?
        let algorithm: any JWTAlgorithm
        /// Of what makes the key, so that it is known again after the file was read anew.
        let fingerprint: SHA256Sum
    }

    let keys: [Key]
    /// Who tokens have to be for; without it, a token that is for somebody is refused.
    let audience: String?

    static let maximumKeys = 256

    /// - Parameters:
    ///   - text: a JWK set. Keys of other types, for other algorithms or for encryption are passed over.
    ///   - audience: the `aud` that tokens must have.
    /// - Throws: ``AccessError`` naming the key and member.
    public init(jwks text: String, audience: String?) async throws(AccessError) {
        let object: JSONObject
        do throws(EventDecodingError) {
            object = try JSONObject(json: text)
        } catch {
            throw AccessError(field: "", "is not a JSON object: \(error.message)")
        }
        guard let list = object["keys"]?.array else { throw AccessError(field: "keys", "must be a list of keys") }
        guard list.count <= Self.maximumKeys else {
            throw AccessError(field: "keys", "must have at most \(Self.maximumKeys), has \(list.count)")
        }
        var keys: [Key] = []
        for (index, value) in list.enumerated() {
            guard let jwk = value.object else { throw AccessError(field: "keys[\(index)]", "must be an object") }
            do throws(AccessError) {
                guard let key = try await Self.key(jwk) else { continue }
                if keys.contains(where: { $0.id == key.id && $0.algorithm.name == key.algorithm.name }) {
                    throw AccessError(
                        field: "kid", key.id.map { "'\($0)' stands twice" } ?? "is required, as there are several keys")
                }
                keys.append(key)
            } catch {
                throw AccessError(
                    field: "keys[\(index)]" + (error.field.isEmpty ? "" : "." + error.field), error.message)
            }
        }
        guard !keys.isEmpty else {
            throw AccessError(field: "keys", "has no key for HS256, ES256, RS256 or EdDSA")
        }
        self.keys = keys
        self.audience = audience
    }

    /// nil for a key that is not for us.
    private static func key(_ jwk: JSONObject) async throws(AccessError) -> Key? {
        if let use = jwk["use"]?.string, use != "sig" { return nil }
        if let operations = jwk["key_ops"]?.array, !operations.contains(.string("verify")) { return nil }
        guard let type = jwk["kty"]?.string else { throw AccessError(field: "kty", "is required") }
        let expected: String
        let members: [String]
        switch (type, jwk["crv"]?.string) {
        case ("oct", _): (expected, members) = ("HS256", ["k"])
        case ("EC", "P-256"): (expected, members) = ("ES256", ["x", "y"])
        case ("RSA", _): (expected, members) = ("RS256", ["n", "e"])
        case ("OKP", "Ed25519"): (expected, members) = ("EdDSA", ["x"])
        default: return nil
        }
        // RFC 9864 calls EdDSA on this curve by its own name.
        if let name = jwk["alg"]?.string, name != expected, !(expected == "EdDSA" && name == "Ed25519") { return nil }
        var values: [(name: String, text: String, bytes: [UInt8])] = []
        for name in members {
            guard let text = jwk[name]?.string, let bytes = Base64URL.decode(text.utf8), !bytes.isEmpty else {
                throw AccessError(field: name, "must be base64url")
            }
            values.append((name, text, bytes))
        }
        try self.check(expected, values.map(\.bytes))
        var identifier: String?
        if let value = jwk["kid"], value != .null {
            guard let text = value.string, (1...256).contains(text.utf8.count) else {
                throw AccessError(field: "kid", "must be text of 1 to 256 bytes")
            }
            identifier = text
        }
        let fingerprint = SHA256Sum(of: expected + "." + values.map(\.text).joined(separator: "."))
        do {
            let algorithm = try await self.algorithm(expected, values.map { ($0.name, $0.text) }, values[0].bytes)
            return Key(id: identifier, algorithm: algorithm, fingerprint: fingerprint)
        } catch {
            // What the library says may quote the key.
            throw AccessError(field: members[0], "is no key for \(expected)")
        }
    }

    private static func check(_ algorithm: String, _ values: [[UInt8]]) throws(AccessError) {
        switch algorithm {
        case "HS256":
            // RFC 7518 section 3.2.
            guard values[0].count >= 32 else {
                throw AccessError(field: "k", "must have at least 32 bytes, has \(values[0].count)")
            }
        case "RS256":
            // RFC 7518 section 3.3.
            let bits = values[0].drop { $0 == 0 }.count * 8
            guard bits >= 2048 else { throw AccessError(field: "n", "must have at least 2048 bits, has \(bits)") }
        case "ES256":
            for (name, value) in zip(["x", "y"], values) where value.count != 32 {
                throw AccessError(field: name, "must have 32 bytes, has \(value.count)")
            }
        default:
            guard values[0].count == 32 else {
                throw AccessError(field: "x", "must have 32 bytes, has \(values[0].count)")
            }
        }
    }

    /// Only the public members go to the library, so nothing here can sign with an asymmetric key.
    private static func algorithm(
        _ name: String, _ members: [(String, String)], _ secret: [UInt8]
    ) async throws -> any JWTAlgorithm {
        let collection = JWTKeyCollection()
        if name == "HS256" {
            await collection.add(hmac: HMACKey(key: SymmetricKey(data: secret)), digestAlgorithm: .sha256)
            return try await collection.getKey()
        }
        let text = Dictionary(members, uniquingKeysWith: { $1 })
        let jwk: JWK
        switch name {
        case "RS256": jwk = .rsa(.rs256, identifier: "key", modulus: text["n"], exponent: text["e"])
        case "ES256": jwk = .ecdsa(.es256, identifier: "key", x: text["x"], y: text["y"], curve: .p256)
        default: jwk = .octetKeyPair(.eddsa, identifier: "key", x: text["x"], y: nil, curve: .ed25519)
        }
        return try await collection.add(jwk: jwk).getKey(for: "key")
    }
}
