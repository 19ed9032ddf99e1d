import JWTKit
import Testing
import Tidings

@testable import TidingsGateway

/// Tokens by joserfc, see scripts/jwt-vectors.py, and by jwt-kit.
@Suite struct JWTTests {
    private static let now = Timestamp(nanoseconds: JWTVectors.now * 1_000_000_000)

    private static func outcome(_ keys: JWTKeySet, _ token: String) -> Result<Principal, JWTKeySet.Refusal> {
        do throws(JWTKeySet.Refusal) {
            return .success(try keys.principal(of: token, at: Self.now))
        } catch {
            return .failure(error)
        }
    }

    private static func message(_ keys: JWTKeySet, _ name: String) throws -> String? {
        let token = try #require(JWTVectors.tokens[name])
        guard case .failure(let refusal) = Self.outcome(keys, token) else { return nil }
        return refusal.message
    }

    @Test(arguments: ["HS256", "ES256", "RS256", "EdDSA"])
    func `a good token of another implementation is accepted`(_ algorithm: String) async throws {
        let keys = try await JWTKeySet(jwks: JWTVectors.keys, audience: "tidings")
        let principal = try Self.outcome(keys, #require(JWTVectors.tokens["\(algorithm) good"])).get()
        #expect(principal.name == "collector")
        #expect(principal.scopes == [.read, .publish])
        #expect(principal.rights == .all)
        #expect(principal.expires == Self.now.advanced(by: .seconds(3600)))
    }

    @Test(arguments: ["HS256", "ES256", "RS256", "EdDSA"])
    func `a token that is not good is refused, and why is told`(_ algorithm: String) async throws {
        let keys = try await JWTKeySet(jwks: JWTVectors.keys, audience: "tidings")
        #expect(try Self.message(keys, "\(algorithm) expired") == "The token has expired")
        #expect(try Self.message(keys, "\(algorithm) early") == "The token is not valid yet")
        #expect(try Self.message(keys, "\(algorithm) other audience") == "The token is for somebody else")
        #expect(try Self.message(keys, "\(algorithm) changed") == "The token's signature is not right")
        #expect(
            try Self.message(keys, "\(algorithm) no kid")
                == "The token's header has no kid, which is needed as there are several keys")
    }

    @Test(arguments: ["HS256", "ES256", "RS256", "EdDSA"])
    func `with one key a token needs no kid, and no other algorithm will do`(_ algorithm: String) async throws {
        let key = try #require(JWTVectors.key[algorithm])
        let keys = try await JWTKeySet(jwks: "{\"keys\":[\(key)]}", audience: "tidings")
        for other in ["HS256", "ES256", "RS256", "EdDSA"] {
            let token = try #require(JWTVectors.tokens["\(other) no kid"])
            let isAccepted = (try? Self.outcome(keys, token).get()) != nil
            #expect(isAccepted == (other == algorithm))
        }
    }

    @Test func `a token without a signature is refused`() async throws {
        let keys = try await JWTKeySet(jwks: JWTVectors.keys, audience: "tidings")
        for name in ["none", "none with kid", "none, capitals", "no signature"] {
            #expect(try Self.message(keys, name) != nil, "\(name)")
        }
        let key = try #require(JWTVectors.key["ES256"])
        let one = try await JWTKeySet(jwks: "{\"keys\":[\(key)]}", audience: "tidings")
        #expect(try Self.message(one, "none") == "The token's algorithm is not that of its key")
    }

    @Test(arguments: ["RS256", "ES256"])
    func `a public key is no HMAC secret`(_ algorithm: String) async throws {
        let token = try #require(JWTVectors.tokens["\(algorithm) public key as secret"])
        let all = try await JWTKeySet(jwks: JWTVectors.keys, audience: "tidings")
        let key = try #require(JWTVectors.key[algorithm])
        let one = try await JWTKeySet(jwks: "{\"keys\":[\(key)]}", audience: "tidings")
        for keys in [all, one] {
            guard case .failure(let refusal) = Self.outcome(keys, token) else {
                Issue.record("accepted")
                return
            }
            #expect(refusal.message == "The token's algorithm is not that of its key")
        }
    }

    @Test func `the key id and the algorithm have to belong together`() async throws {
        let keys = try await JWTKeySet(jwks: JWTVectors.keys, audience: "tidings")
        #expect(try Self.message(keys, "wrong key") == "The token's signature is not right")
        #expect(try Self.message(keys, "unknown kid") == "The token was signed with a key that is not known")
        #expect(
            try Self.message(keys, "algorithm of another key") == "The token's algorithm is not that of its key")
    }

    @Test func `scope may be a list, and types and symbols restrict`() async throws {
        let keys = try await JWTKeySet(jwks: JWTVectors.keys, audience: "tidings")
        let principal = try Self.outcome(keys, #require(JWTVectors.tokens["restricted"])).get()
        #expect(principal.scopes == [.read])
        #expect(principal.rights == EventRights(types: ["login.*", "trade"], symbols: ["BTC-USD"]))
    }

    @Test func `a token that is for somebody needs an audience to be configured`() async throws {
        let keys = try await JWTKeySet(jwks: JWTVectors.keys, audience: nil)
        #expect(try Self.message(keys, "ES256 good")?.contains("access.jwt.audience") == true)
    }

    // MARK: By jwt-kit

    private struct Claims: JWTPayload {
        var values: [String: JSON]
        func verify(using algorithm: some JWTAlgorithm) async throws {}
        func encode(to encoder: any Encoder) throws { try self.values.encode(to: encoder) }
        init(_ values: [String: JSON]) { self.values = values }
        init(from decoder: any Decoder) throws { self.values = try [String: JSON](from: decoder) }
    }

    enum JSON: Codable, Sendable {
        case text(String)
        case number(Double)
        case list([String])
        case flag(Bool)

        init(from decoder: any Decoder) throws {
            self = .text(try decoder.singleValueContainer().decode(String.self))
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .list(let list): try container.encode(list)
            case .flag(let flag): try container.encode(flag)
            }
        }
    }

    private static let secret = [UInt8](repeating: 7, count: 32)

    private static func signed(_ claims: [String: JSON], header: JWTHeader = JWTHeader()) async throws -> String {
        let collection = JWTKeyCollection()
        await collection.add(hmac: HMACKey(from: Self.secret), digestAlgorithm: .sha256)
        return try await collection.sign(Claims(claims), header: header)
    }

    private static func keys(audience: String? = nil) async throws -> JWTKeySet {
        try await JWTKeySet(
            jwks: #"{"keys":[{"kty":"oct","k":"\#(Base64URL.encode(Self.secret))"}]}"#, audience: audience)
    }

    @Test func `a token of jwt-kit is accepted`() async throws {
        let token = try await Self.signed(["sub": .text("me"), "scope": .text("admin"), "exp": .number(1_900_000_000)])
        #expect(try await Self.outcome(Self.keys(), token).get().scopes == [.admin])
    }

    @Test func `a claim of the wrong kind never means less restriction`() async throws {
        let wrong: [[String: JSON]] = [
            ["types": .number(1)], ["types": .list(["not a type"])], ["types": .text("")], ["symbols": .flag(true)],
            ["symbols": .list([""])], ["exp": .text("tomorrow")], ["nbf": .flag(false)], ["scope": .number(1)],
            ["sub": .text("")], ["sub": .text(String(repeating: "x", count: 129))], ["sub": .number(3)],
            ["aud": .text("x")], ["exp": .number(1e300)],
        ]
        let keys = try await Self.keys()
        for claims in wrong {
            let token = try await Self.signed(claims)
            #expect((try? Self.outcome(keys, token).get()) == nil, "\(claims)")
        }
    }

    @Test func `a header with extensions that must be understood is refused`() async throws {
        var header = JWTHeader()
        header.fields["crit"] = .array([.string("b64")])
        let token = try await Self.signed(["sub": .text("me")], header: header)
        #expect((try? await Self.outcome(Self.keys(), token).get()) == nil)
    }

    @Test func `no text makes trouble`() async throws {
        var generator = SeededRandom(seed: 5)
        let keys = try await JWTKeySet(jwks: JWTVectors.keys, audience: "tidings")
        let good = Array(try #require(JWTVectors.tokens["ES256 good"]).utf8)
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0x21...0x7E, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8(ascii: "."), at: place)
                }
            }
            guard bytes != good else { continue }
            // A change of the last character's unused bits is refused as well: there is one way to write a token.
            #expect((try? Self.outcome(keys, String(decoding: bytes, as: UTF8.self)).get()) == nil)
        }
    }

    // MARK: Key sets

    @Test(arguments: [
        (#"[]"#, "", "is not a JSON object"),
        (#"{}"#, "keys", "must be a list of keys"),
        (#"{"keys":[]}"#, "keys", "has no key for"),
        (#"{"keys":[1]}"#, "keys[0]", "must be an object"),
        (#"{"keys":[{}]}"#, "keys[0].kty", "is required"),
        (#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#, "keys[0].k", "must have at least 32 bytes, has 5"),
        (#"{"keys":[{"kty":"oct"}]}"#, "keys[0].k", "must be base64url"),
        (#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, "keys[0].n", "must have at least 2048 bits"),
        (#"{"keys":[{"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"}]}"#, "keys[0].x", "must have 32 bytes"),
        (#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQAB"}]}"#, "keys[0].x", "must have 32 bytes"),
    ])
    func `a wrong key set says where`(_ text: String, _ field: String, _ message: String) async throws {
        do throws(AccessError) {
            _ = try await JWTKeySet(jwks: text, audience: nil)
            Issue.record("accepted \(text)")
        } catch {
            #expect(error.field == field)
            #expect(error.message.hasPrefix(message))
        }
    }

    @Test func `keys that are not for us are passed over, and two of one name are an error`() async throws {
        let key = try #require(JWTVectors.key["ES256"])
        let mixed = #"{"keys":[{"kty":"EC","crv":"P-521","x":"A","y":"A"},{"kty":"RSA","use":"enc"},\#(key)]}"#
        #expect(try await JWTKeySet(jwks: mixed, audience: nil).keys.map(\.id) == ["es"])
        await #expect(throws: AccessError(field: "keys[1].kid", "'es' stands twice")) {
            try await JWTKeySet(jwks: #"{"keys":[\#(key),\#(key)]}"#, audience: nil)
        }
    }
}

/// SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
