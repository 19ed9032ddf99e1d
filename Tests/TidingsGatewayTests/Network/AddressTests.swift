import HTTPTypes
import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

struct AddressTests {
    @Test(
        arguments: [
            ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.168.1.7", "192.168.1.7", true),
            ("192.168.1.7", "192.168.1.8", false), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "8.8.8.8", true), ("::/0", "2001:db8::1", true), ("fd00::/8", "fd12:3456::1", true),
            ("fd00::/8", "fe80::1", false), ("2001:db8:1:2::/64", "2001:db8:1:2:ffff::1", true),
            ("2001:db8:1:2::/64", "2001:db8:1:3::1", false), ("2001:db8::1", "2001:db8::1", true),
            ("2001:db8::1/127", "2001:db8::", true), ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("::1", "::1", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ] as [(String, String, Bool)])
    func `a range has the addresses of its prefix`(range: String, address: String, isIn: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try #require(IPAddress(text: address))) == isIn)
    }

    @Test(arguments: [
        "", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "::1/129", "host", "1.2.3.4/8/8", "/8",
    ])
    func `what is no range is none`(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func `addresses of one IPv6 network of 64 bits count together, those of IPv4 alone`() throws {
        let one = try #require(IPAddress(text: "2001:db8:1:2::1"))
        let other = try #require(IPAddress(text: "2001:db8:1:2:aaaa:bbbb:cccc:dddd"))
        let foreign = try #require(IPAddress(text: "2001:db8:1:3::1"))
        #expect(one.group == other.group)
        #expect(one.group != foreign.group)
        let four = try #require(IPAddress(text: "10.0.0.1"))
        #expect(four.group != IPAddress(text: "10.0.0.2")?.group)
        #expect(four == IPAddress(text: "::ffff:10.0.0.1"))
    }

    @Test func `a socket's address is read as its text is`() throws {
        for text in ["127.0.0.1", "203.0.113.255", "::1", "2001:db8:0:1:2:3:4:5"] {
            let address = try SocketAddress(ipAddress: text, port: 80)
            #expect(IPAddress(address) == IPAddress(text: text))
        }
        #expect(
            IPAddress(try SocketAddress(ipAddress: "1.2.3.4", port: 80)) == IPAddress(high: 0, low: 0xFFFF_0102_0304))
        #expect(IPAddress(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
    }
}

struct AddressTableTests {
    private static let second: Int64 = 1_000_000_000

    private func limits(connections: Int = 3, rate: Int = 2, requests: Int = 5) -> AddressLimits {
        var limits = AddressLimits()
        limits.connections = connections
        limits.connectionRate = rate
        limits.requestRate = requests
        return limits
    }

    private func address(_ number: UInt64) -> IPAddress { IPAddress(high: 0, low: 0xFFFF_0000_0000 | number) }

    @Test func `an address has so many connections and no more, and gets a place back`() {
        var table = AddressTable(self.limits(connections: 2, rate: 100), capacity: 10)
        #expect(table.connect(self.address(1), now: 0) == .admitted)
        #expect(table.connect(self.address(1), now: 0) == .admitted)
        #expect(table.connect(self.address(1), now: 0) == .tooMany)
        #expect(table.connect(self.address(2), now: 0) == .admitted)
        table.disconnect(self.address(1))
        #expect(table.connect(self.address(1), now: 0) == .admitted)
        #expect(table.connect(self.address(1), now: 0) == .tooMany)
    }

    @Test func `connections come in bursts of ten seconds' worth, then at their rate`() {
        var table = AddressTable(self.limits(connections: 1000, rate: 2), capacity: 10)
        for _ in 0..<20 { #expect(table.connect(self.address(1), now: 0) == .admitted) }
        #expect(table.connect(self.address(1), now: 0) == .tooFast(delay: Self.second / 2))
        #expect(table.connect(self.address(1), now: Self.second / 2) == .admitted)
        #expect(table.connect(self.address(1), now: Self.second / 2) == .tooFast(delay: Self.second / 2))
    }

    @Test func `requests come in bursts of two seconds' worth, then at their rate`() {
        var table = AddressTable(self.limits(requests: 5), capacity: 10)
        for _ in 0..<10 { #expect(table.request(self.address(1), now: 0) == .admitted) }
        #expect(table.request(self.address(1), now: 0) == .tooFast(delay: Self.second / 5))
        for _ in 0..<5 { #expect(table.request(self.address(1), now: Self.second) == .admitted) }
        #expect(table.request(self.address(1), now: Self.second) == .tooFast(delay: Self.second / 5))
        // A clock that goes back gives nothing.
        #expect(table.request(self.address(1), now: 0) == .tooFast(delay: Self.second / 5))
    }

    @Test func `the table never grows beyond its bound, and those with connections stay in it`() {
        var table = AddressTable(self.limits(connections: 1), capacity: 100)
        for number in 0..<50 { #expect(table.connect(self.address(UInt64(number)), now: 0) == .admitted) }
        for number in 0..<10_000 {
            #expect(table.request(self.address(1000 + UInt64(number)), now: Int64(number)) == .admitted)
            #expect(table.count <= 100)
        }
        for number in 0..<50 { #expect(table.connect(self.address(UInt64(number)), now: 0) == .tooMany) }
    }

    @Test func `where every place is held by a connection there is none for another`() {
        var table = AddressTable(self.limits(), capacity: 3)
        for number in 0..<3 { #expect(table.connect(self.address(UInt64(number)), now: 0) == .admitted) }
        #expect(table.connect(self.address(9), now: 0) == .tooMany)
        #expect(table.request(self.address(9), now: 0) == .tooMany)
        table.disconnect(self.address(1))
        #expect(table.connect(self.address(9), now: 0) == .admitted)
    }

    @Test func `random traffic is counted as a plain count would`() {
        var generator = SeededGenerator(seed: 5)
        var table = AddressTable(self.limits(connections: 4, rate: 1_000_000), capacity: 64)
        var open: [UInt64: Int] = [:]
        for step in 0..<20_000 {
            let number = UInt64.random(in: 0..<12, using: &generator)
            if Bool.random(using: &generator) {
                let verdict = table.connect(self.address(number), now: Int64(step) * 1000)
                #expect(verdict == ((open[number] ?? 0) < 4 ? .admitted : .tooMany))
                if verdict == .admitted { open[number, default: 0] += 1 }
            } else {
                table.disconnect(self.address(number))
                open[number] = max(0, (open[number] ?? 0) - 1)
            }
        }
    }

    @Test func `the limiter counts all connections, and lets exempt addresses do as they like`() throws {
        var limits = GatewayConfiguration.Limits()
        limits.connections = 5
        limits.address.connections = 2
        let limiter = AddressLimiter(limits)
        #expect(limiter.group(of: try SocketAddress(ipAddress: "127.0.0.1", port: 1)) == nil)
        #expect(limiter.group(of: try SocketAddress(ipAddress: "::1", port: 1)) == nil)
        let group = try #require(limiter.group(of: try SocketAddress(ipAddress: "203.0.113.9", port: 1)))
        for _ in 0..<2 { #expect(limiter.connect(group) == nil) }
        let refusal = try #require(limiter.connect(group))
        #expect(refusal.reason == .addressConnections)
        #expect(refusal.problem.status.code == 429)
        for _ in 0..<3 { #expect(limiter.connect(nil) == nil) }
        #expect(limiter.connect(nil)?.reason == .connections)
        #expect(limiter.connect(nil)?.problem.status.code == 503)
        limiter.disconnect(group)
        #expect(limiter.connect(nil) == nil)
        for _ in 0..<10_000 { #expect(limiter.request(nil) == nil) }
    }
}

/// xorshift64*: the same numbers each time.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        self.state ^= self.state >> 12
        self.state ^= self.state << 25
        self.state ^= self.state >> 27
        return self.state &* 0x2545_F491_4F6C_DD1D
    }
}
