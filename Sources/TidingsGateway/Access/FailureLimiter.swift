import NIOCore
import Tidings

/// How many wrong credentials an address may show: so many at once, and a tenth of that in each second.
struct FailureLimiter {
    private struct Bucket {
        var tokens: Double
        /// Monotonic nanoseconds.
        var updatedAt: Int64
    }

    /// What an address counts as; what is no IP address is one place.
    static func place(of address: SocketAddress?) -> IPAddress {
        IPAddress(address)?.group ?? IPAddress(high: .max, low: .max)
    }

    private let burst: Double
    private let capacity: Int
    private var buckets: [IPAddress: Bucket] = [:]

    /// - Parameter capacity: the most addresses remembered; the one that has been quiet for longest goes.
    init(burst: Int, capacity: Int = 4096) {
        self.burst = Double(max(burst, 1))
        self.capacity = max(capacity, 1)
    }

    /// Nanoseconds until an address may try again; nil when it may now.
    func wait(_ address: IPAddress, now: Int64) -> Int64? {
        guard let bucket = self.buckets[address] else { return nil }
        let tokens = self.refilled(bucket, now)
        return tokens >= 1 ? nil : Int64(((1 - tokens) / (self.burst / 10) * 1e9).rounded(.up))
    }

    mutating func noteFailure(_ address: IPAddress, now: Int64) {
        let tokens = self.buckets[address].map { self.refilled($0, now) } ?? self.burst
        if self.buckets[address] == nil && self.buckets.count >= self.capacity { self.makeRoom(now) }
        self.buckets[address] = Bucket(tokens: max(tokens - 1, 0), updatedAt: now)
    }

    private func refilled(_ bucket: Bucket, _ now: Int64) -> Double {
        min(self.burst, bucket.tokens + Double(max(now - bucket.updatedAt, 0)) / 1e9 * self.burst / 10)
    }

    /// Forgets who has nothing held against them any more, or else whoever has been quiet for longest.
    private mutating func makeRoom(_ now: Int64) {
        self.buckets = self.buckets.filter { self.refilled($0.value, now) < self.burst }
        guard self.buckets.count >= self.capacity,
            let oldest = self.buckets.min(by: { $0.value.updatedAt < $1.value.updatedAt })
        else { return }
        self.buckets[oldest.key] = nil
    }
}
