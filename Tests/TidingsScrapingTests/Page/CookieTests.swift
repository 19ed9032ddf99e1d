import Testing

@testable import TidingsScraping

/// https://www.rfc-editor.org/rfc/rfc6265
@Suite struct CookieTests {
    private static func header(
        _ stored: [String], at from: String, for to: String, storedAt: Double = 0, readAt: Double = 1
    ) throws -> String? {
        var jar = CookieJar()
        jar.store(stored, from: try PageAddress(from), now: storedAt)
        return jar.header(for: try PageAddress(to), now: readAt)
    }

    @Test(arguments: [
        ("a=1", "http://x.example/", true), ("a=1", "http://sub.x.example/", false),
        ("a=1; Domain=x.example", "http://sub.x.example/", true),
        ("a=1; Domain=.X.Example", "http://sub.x.example/", true),
        ("a=1; domain=x.example", "http://notx.example/", false),
        ("a=1; Domain=other.example", "http://x.example/", false),
        ("a=1; Domain=example", "http://x.example/", false), ("a=1; Path=/p", "http://x.example/p", true),
        ("a=1; Path=/p", "http://x.example/p/q", true), ("a=1; Path=/p", "http://x.example/pq", false),
        ("a=1; Path=/p", "http://x.example/", false), ("a=1; Path=p", "http://x.example/", true),
        ("a=1; Secure", "http://x.example/", false), ("=1", "http://x.example/", false),
        ("a", "http://x.example/", false),
        ("a=1; Max-Age=0", "http://x.example/", false), ("a=1; Max-Age=10", "http://x.example/", true),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://x.example/", false),
        ("a=1; Expires=Wed, 09 Jun 2099 10:18:14 GMT", "http://x.example/", true),
        ("a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://x.example/", true),
        ("a=1; HttpOnly; SameSite=Lax", "http://x.example/", true),
    ])
    func `a cookie goes where it is for`(cookie: String, to: String, isSent: Bool) throws {
        #expect(try Self.header([cookie], at: "http://x.example/", for: to) == (isSent ? "a=1" : nil))
    }

    @Test func `secure cookies need https both ways`() throws {
        #expect(try Self.header(["a=1; Secure"], at: "https://x.example/", for: "https://x.example/") == "a=1")
        #expect(try Self.header(["a=1; Secure"], at: "https://x.example/", for: "http://x.example/") == nil)
    }

    @Test func `a cookie without a path is for the folder it came from`() throws {
        #expect(try Self.header(["a=1"], at: "http://x/a/b", for: "http://x/a/c") == "a=1")
        #expect(try Self.header(["a=1"], at: "http://x/a/b", for: "http://x/b") == nil)
    }

    @Test func `longer paths go first, then older cookies, and a later value replaces an earlier one`() throws {
        let stored = ["a=1; Path=/", "b=2; Path=/p", "c=3; Path=/", "a=4; Path=/"]
        #expect(try Self.header(stored, at: "http://x/p/q", for: "http://x/p/q") == "b=2; a=4; c=3")
    }

    @Test func `an expired cookie is not sent and a domain does not make an address a family`() throws {
        #expect(try Self.header(["a=1; Max-Age=10"], at: "http://x/", for: "http://x/", readAt: 11) == nil)
        #expect(try Self.header(["a=1; Domain=0.0.1"], at: "http://127.0.0.1/", for: "http://127.0.0.1/") == nil)
        #expect(try Self.header(["a=1; Domain=127.0.0.1"], at: "http://127.0.0.1/", for: "http://127.0.0.1/") == "a=1")
    }

    @Test func `a jar is bounded`() throws {
        var jar = CookieJar()
        let address = try PageAddress("http://x/")
        for number in 0..<200 { jar.store(["c\(number)=1"], from: address, now: 0) }
        #expect(jar.cookies.count == CookieJar.maximumPerDomain && jar.cookies.last?.name == "c199")
        jar.store(["big=" + String(repeating: "x", count: 5000)], from: address, now: 0)
        #expect(jar.cookies.last?.name == "c199")
        jar.maximumCount = 100
        for number in 0..<300 { jar.store(["a=1"], from: try PageAddress("http://h\(number)/"), now: 0) }
        #expect(jar.cookies.count == 100)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777.0), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
    ])
    func `dates are read in the forms that are about`(text: String, seconds: Double) {
        #expect(CookieDate.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "Nov 1994", "99 Nov 1994 08:49:37", "6 Nov 1994 25:00:00", "6 Nov 1500 08:49:37", "x:y:z 6 Nov 1994",
    ])
    func `what is no date is none`(text: String) {
        #expect(CookieDate.seconds(text) == nil)
    }

    @Test(arguments: [
        ("8.8.8.8", false), ("1.1.1.1", false), ("172.15.0.1", false), ("172.32.0.1", false), ("100.63.0.1", false),
        ("2606:4700::1111", false), ("2002:0808:0808::1", false), ("64:ff9b::808:808", false),
        ("10.0.0.1", true), ("127.0.0.1", true), ("127.255.0.9", true), ("169.254.169.254", true), ("172.16.0.1", true),
        ("172.31.255.255", true), ("192.168.1.1", true), ("100.64.0.1", true), ("0.0.0.0", true), ("224.0.0.1", true),
        ("255.255.255.255", true), ("198.18.0.1", true), ("::", true), ("::1", true), ("[::1]", true),
        ("fe80::1%eth0", true),
        ("fc00::1", true), ("fd12::1", true), ("ff02::1", true), ("::ffff:10.0.0.1", true), ("::ffff:8.8.8.8", false),
        ("64:ff9b::a00:1", true), ("2002:7f00:1::", true), ("2001:db8::1", true),
    ])
    func `private addresses are known`(address: String, isPrivate: Bool) throws {
        #expect(try #require(NetworkAddress(address)).isPrivate == isPrivate)
    }
}
