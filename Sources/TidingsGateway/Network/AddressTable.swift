/// What one address may do.
public struct AddressLimits: Sendable {
    /// Connections open at a time.
    public var connections = 1000
    /// New connections a second; a burst may have ten seconds' worth.
    public var connectionRate = 100
    /// Requests a second, upgrades among them; a burst may have two seconds' worth.
    public var requestRate = 500
    /// Addresses that none of this concerns, such as a proxy that many clients come through.
    public var exempt = AddressRange.loopback

    public init() {}
}

/// Who has how many connections, and how fast they came: a bounded table of addresses.
///
/// An address without connections whose allowance is full again is as good as unknown. When there is no room, the one of a
/// few that has been quiet for longest makes way; addresses with open connections never do, and as connections are bounded
/// there is always one that can.
struct AddressTable: ~Copyable {
    enum Verdict: Equatable {
        case admitted
        case tooMany
        /// Too fast; after so many nanoseconds one more may come.
        case tooFast(delay: Int64)
    }

    private struct Entry {
        var connections = 0
        var openings: Allowance
        var requests: Allowance
        var lastSeen: Int64
        /// Where it stands in `order`.
        var place: Int
    }

    /// Tokens that come back at a rate, up to a burst.
    private struct Allowance {
        private var tokens: Double
        private var updatedAt: Int64

        init(burst: Double, now: Int64) {
            self.tokens = burst
            self.updatedAt = now
        }

        /// Takes one; or says how long that has to wait, in nanoseconds.
        mutating func take(rate: Double, burst: Double, now: Int64) -> Int64? {
            self.tokens = min(burst, self.tokens + Double(max(now - self.updatedAt, 0)) * rate / 1e9)
            self.updatedAt = max(now, self.updatedAt)
            if self.tokens >= 1 {
                self.tokens -= 1
                return nil
            }
            return Int64(min((1 - self.tokens) / rate * 1e9, 3.6e12).rounded(.up))
        }
    }

    private let limits: AddressLimits
    private let capacity: Int
    private var entries: [IPAddress: Entry] = [:]
    /// All addresses, in no order that matters.
    private var order: [IPAddress] = []
    /// Where the search for one that makes way goes on.
    private var hand = 0

    private static let probes = 16

    /// - Parameter capacity: how many addresses are remembered; more than there are connections.
    init(_ limits: AddressLimits, capacity: Int) {
        self.limits = limits
        self.capacity = max(capacity, 1)
    }

    var count: Int { self.order.count }

    private var connectionRate: Double { Double(max(self.limits.connectionRate, 1)) }
    private var requestRate: Double { Double(max(self.limits.requestRate, 1)) }

    /// Takes a place for one more connection, which ``disconnect(_:)`` gives back if it was admitted.
    mutating func connect(_ address: IPAddress, now: Int64) -> Verdict {
        guard var entry = self.take(address, now: now) else { return .tooMany }
        defer { self.entries[address] = entry }
        if entry.connections >= self.limits.connections { return .tooMany }
        let (rate, burst) = (self.connectionRate, self.connectionRate * 10)
        if let delay = entry.openings.take(rate: rate, burst: burst, now: now) { return .tooFast(delay: delay) }
        entry.connections += 1
        return .admitted
    }

    mutating func disconnect(_ address: IPAddress) {
        guard let entry = self.entries[address], entry.connections > 0 else { return }
        self.entries[address]?.connections = entry.connections - 1
    }

    /// Counts a request.
    mutating func request(_ address: IPAddress, now: Int64) -> Verdict {
        guard var entry = self.take(address, now: now) else { return .tooMany }
        defer { self.entries[address] = entry }
        let (rate, burst) = (self.requestRate, self.requestRate * 2)
        if let delay = entry.requests.take(rate: rate, burst: burst, now: now) { return .tooFast(delay: delay) }
        return .admitted
    }

    /// The entry of an address, new if need be; nil when there is no room for it.
    private mutating func take(_ address: IPAddress, now: Int64) -> Entry? {
        if var entry = self.entries[address] {
            entry.lastSeen = now
            return entry
        }
        if self.order.count >= self.capacity && !self.makeRoom() { return nil }
        self.order.append(address)
        return Entry(
            openings: Allowance(burst: self.connectionRate * 10, now: now),
            requests: Allowance(burst: self.requestRate * 2, now: now), lastSeen: now, place: self.order.count - 1)
    }

    /// Forgets the address that has been quiet for longest, of the next few without connections.
    private mutating func makeRoom() -> Bool {
        var chosen: (address: IPAddress, lastSeen: Int64, place: Int)?
        var probed = 0
        for _ in 0..<self.order.count where probed < Self.probes {
            self.hand = (self.hand + 1) % self.order.count
            let address = self.order[self.hand]
            guard let entry = self.entries[address], entry.connections == 0 else { continue }
            probed += 1
            if let known = chosen, known.lastSeen <= entry.lastSeen { continue }
            chosen = (address, entry.lastSeen, entry.place)
        }
        guard let chosen else { return false }
        self.entries[chosen.address] = nil
        let last = self.order.removeLast()
        if last != chosen.address {
            self.order[chosen.place] = last
            self.entries[last]?.place = chosen.place
        }
        return true
    }
}
