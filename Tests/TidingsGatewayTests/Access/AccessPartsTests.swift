import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

@Suite struct AccessPartsTests {
    // MARK: Rights

    private static func event(_ type: EventType, _ symbol: String? = nil, venue: String? = nil) -> StandardEvent {
        var payload: [(String, JSONValue)] = []
        if let symbol { payload.append(("symbol", .string(symbol))) }
        if let venue { payload.append(("venue_symbol", .string(venue))) }
        return StandardEvent(eventType: type, source: "test", payload: .object(JSONObject(payload)))
    }

    @Test func `rights cover types by pattern and symbols in either spelling`() {
        let rights = EventRights(types: ["trade", "login.*"], symbols: ["btc-usd"])
        #expect(rights.includes(Self.event(.trade, "BTC-USD")))
        #expect(rights.includes(Self.event(.trade, "btc-usd")))
        #expect(rights.includes(Self.event("login.failed", "BTC-USD")))
        #expect(rights.includes(Self.event(.trade, "XBT", venue: "BTC-USD")))
        #expect(!rights.includes(Self.event(.trade, "ETH-USD")))
        #expect(!rights.includes(Self.event(.trade)))
        #expect(!rights.includes(Self.event(.ticker, "BTC-USD")))
        #expect(EventRights.all.includes(Self.event("anything")))
        #expect(EventRights(types: ["*"], symbols: ["*"]) == .all)
    }

    @Test func `a sender cannot pass an event off by the venue's spelling`() {
        let rights = EventRights(types: ["trade"], symbols: ["BTC-USD"])
        #expect(rights.refusal(of: Self.event(.trade, "BTC-USD")) == nil)
        #expect(rights.refusal(of: Self.event(.trade, "ETH-USD", venue: "BTC-USD"))?.field == "payload.symbol")
        #expect(rights.refusal(of: Self.event(.trade))?.field == "payload.symbol")
        #expect(rights.refusal(of: Self.event(.ticker, "BTC-USD"))?.field == "event_type")
    }

    @Test func `rights in another order are the same`() {
        #expect(
            EventRights(types: ["a", "b"], symbols: ["X", "y"])
                == EventRights(types: ["b", "a", "a"], symbols: ["Y", "x"]))
    }

    // MARK: Hashes and base64url

    @Test func `a hash is that of the text`() {
        // FIPS 180-2, appendix B.1.
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(SHA256Sum(of: "abc").hex == hex)
        #expect(SHA256Sum(hex: hex.uppercased()) == SHA256Sum(of: "abc"))
        #expect(SHA256Sum(hex: String(hex.dropLast())) == nil)
        #expect(SHA256Sum(hex: "g" + hex.dropFirst()) == nil)
        #expect(SHA256Sum(of: "abc").isSame(as: SHA256Sum(of: "abc")))
        #expect(!SHA256Sum(of: "abc").isSame(as: SHA256Sum(of: "abd")))
    }

    @Test func `base64url has one text for some bytes`() {
        var generator = SeededRandom(seed: 3)
        for length in 0..<100 {
            let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        for wrong in ["A", "AB==", "A+", "A/", "AB", "AAC", "A\u{e9}"] {
            #expect(Base64URL.decode(wrong.utf8) == nil, "\(wrong)")
        }
    }

    @Test func `a fresh token fits into a header and a subprotocol`() {
        let token = AccessToken.random()
        #expect(token.utf8.count == 51)
        #expect(ShownCredential(authorization: ["Bearer \(token)"], cookies: []) == .token(token))
        #expect(AccessToken.random() != token)
    }

    // MARK: What is shown

    @Test(arguments: [
        ([], [], [], ShownCredential.none),
        (["Bearer abc"], ["tidings_session=s"], ["bearer.x"], .token("abc")),
        (["bearer abc"], [], [], .token("abc")),
        ([], ["a=b; tidings_session=s ; c=d"], [], .session("s")),
        ([], ["tidings_sessio=s"], [], .none),
        ([], ["tidings_session=s"], ["json", "bearer.x.y"], .token("x.y")),
        (["Basic abc"], [], [], .malformed("The Authorization header must be 'Bearer' and a token")),
        (["Bearer"], [], [], .malformed("The Authorization header must be 'Bearer' and a token")),
        (["Bearer a b"], [], [], .malformed("The Authorization header must be 'Bearer' and a token")),
        (["Bearer a", "Bearer b"], [], [], .malformed("There are several Authorization headers")),
        ([], [], ["bearer."], .malformed("The subprotocol must be 'bearer.' and a token, once")),
        ([], [], ["bearer.a", "bearer.b"], .malformed("The subprotocol must be 'bearer.' and a token, once")),
    ])
    func `a token comes in a header, a subprotocol or a cookie`(
        _ authorization: [String], _ cookies: [String], _ subprotocols: [String], _ expected: ShownCredential
    ) {
        #expect(
            ShownCredential(authorization: authorization, cookies: cookies, subprotocols: subprotocols) == expected)
    }

    @Test func `the subprotocol answered is the one beside the token`() {
        func select(_ offered: [String]) -> String? { ShownCredential.selectSubprotocol(offered, spoken: ["tidings"]) }
        #expect(select(["bearer.x", "tidings"]) == "tidings")
        #expect(select(["chat", "bearer.x"]) == "chat")
        #expect(select(["bearer.x"]) == "bearer.x")
        #expect(select(["chat"]) == nil)
        #expect(select([]) == nil)
    }

    // MARK: Failures

    @Test func `wrong tokens are held against an address for a while`() throws {
        var limiter = FailureLimiter(burst: 10, capacity: 2)
        let one = FailureLimiter.place(of: try SocketAddress(ipAddress: "192.0.2.1", port: 1))
        let other = FailureLimiter.place(of: try SocketAddress(ipAddress: "192.0.2.2", port: 1))
        for _ in 0..<9 { limiter.noteFailure(one, now: 0) }
        #expect(limiter.wait(one, now: 0) == nil)
        limiter.noteFailure(one, now: 0)
        #expect(limiter.wait(one, now: 0) == 1_000_000_000)
        #expect(limiter.wait(one, now: 1_000_000_000) == nil)
        #expect(limiter.wait(other, now: 0) == nil)
        // The table is full: the quietest goes.
        limiter.noteFailure(other, now: 1)
        limiter.noteFailure(FailureLimiter.place(of: nil), now: 2)
        #expect(limiter.wait(one, now: 2) == nil)
    }

    @Test func `addresses of one IPv6 network count as one`() throws {
        let first = FailureLimiter.place(of: try SocketAddress(ipAddress: "2001:db8::1", port: 1))
        #expect(first == FailureLimiter.place(of: try SocketAddress(ipAddress: "2001:db8::ffff:1", port: 9)))
        #expect(first != FailureLimiter.place(of: try SocketAddress(ipAddress: "2001:db8:0:1::1", port: 1)))
        #expect(
            FailureLimiter.place(of: try SocketAddress(ipAddress: "::ffff:192.0.2.1", port: 1))
                == FailureLimiter.place(of: try SocketAddress(ipAddress: "192.0.2.1", port: 1)))
    }

    // MARK: Sessions

    @Test func `sessions end, and their number is bounded for one token and for all`() throws {
        let keyring = try Keyring()
        let (first, second) = (keyring.entries[0].principal, keyring.entries[1].principal)
        var table = SessionTable(capacity: 4, perCredential: 2)
        let now = Timestamp.now()
        let ids = (0..<3).map { _ in table.begin(first, now: now).id }
        #expect(table.principal(of: ids[0], now: now) == nil)
        #expect(table.principal(of: ids[2], now: now)?.name == "reader")
        #expect(table.principal(of: ids[2], now: now)?.isFromCookie == true)
        let other = table.begin(second, now: now).id
        #expect(table.number == 3)
        table.end(other)
        #expect(table.principal(of: other, now: now) == nil)
        #expect(table.principal(of: ids[2], now: now.advanced(by: SessionTable.lifetime)) == nil)
        var ending = first
        ending.expires = now.advanced(by: .seconds(5))
        #expect(table.begin(ending, now: now).expires == ending.expires)
    }

    // MARK: Hosts, origins, listening

    @Test func `a host is ours, an address, or named in the configuration`() {
        var configuration = GatewayConfiguration()
        configuration.allowedOrigins = ["https://Dash.example.com:8443/"]
        let hosts = HostPolicy(configuration)
        for host in [
            nil, "127.0.0.1:8765", "localhost", "LOCALHOST.:80", "[::1]:8765", "192.0.2.7", "app.localhost:1",
            "dash.example.com", "[2001:db8::1]:1", "tidings:8765",
        ] { #expect(hosts.allows(host), "\(host ?? "none")") }
        for host in ["evil.example", "127.0.0.1.evil.example", "1.2.3", "localhost.evil", "", "1.2.3.400"] {
            #expect(!hosts.allows(host), "\(host)")
        }
    }

    @Test func `beyond loopback somebody has to be asked`() throws {
        var configuration = GatewayConfiguration()
        configuration.host = "0.0.0.0"
        #expect(throws: GatewayError.self) { try ListenPolicy.check(configuration) }
        configuration.access = try Keyring().policy
        try ListenPolicy.check(configuration)
        configuration.access = nil
        configuration.insecure = true
        try ListenPolicy.check(configuration)
    }

    @Test func `an entry of the token file names its problem`() {
        let hash = SHA256Sum(of: "x")
        func field(_ make: () throws(AccessError) -> AccessToken) -> String? {
            do throws(AccessError) {
                _ = try make()
                return nil
            } catch {
                return error.field
            }
        }
        #expect(field { () throws(AccessError) in try AccessToken(name: "", sha256: hash, scopes: [.read]) } == "name")
        #expect(
            field { () throws(AccessError) in try AccessToken(name: "a\n", sha256: hash, scopes: [.read]) } == "name")
        #expect(field { () throws(AccessError) in try AccessToken(name: "a", sha256: hash, scopes: []) } == "scopes")
        #expect(
            field { () throws(AccessError) in
                try AccessToken(name: "a", sha256: hash, scopes: [.read], symbols: [""])
            } == "symbols")
    }
}
