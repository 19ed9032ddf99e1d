import Testing

@testable import Tidings

struct LatencyHistogramTests {
    @Test func `the sum is exact, a quantile at most an eighth too long`() {
        var histogram = LatencyHistogram()
        var sum: UInt64 = 0
        for nanoseconds in stride(from: Int64(1), through: 5_000_000, by: 977) {
            histogram.record(nanoseconds: nanoseconds, times: 2)
            sum += UInt64(nanoseconds) * 2
        }
        #expect(histogram.sum == sum)
        for (share, exact) in [(0.5, 2_500_000.0), (0.99, 4_950_000.0)] {
            let told = Double(histogram.quantile(share))
            #expect(told >= exact * 0.999 && told <= exact * 1.13)
        }
    }

    @Test func `counts below a power of two are exact`() {
        var histogram = LatencyHistogram()
        for nanoseconds: Int64 in [0, 7, 8, 1023, 1024, 1025, 1 << 36] { histogram.record(nanoseconds: nanoseconds) }
        #expect(histogram.count(belowPowerOfTwo: 3) == 2)
        #expect(histogram.count(belowPowerOfTwo: 4) == 3)
        #expect(histogram.count(belowPowerOfTwo: 10) == 4)
        #expect(histogram.count(belowPowerOfTwo: 11) == 6)
        #expect(histogram.count(belowPowerOfTwo: 36) == 6)
        #expect(histogram.count(belowPowerOfTwo: 37) == 7)
        #expect(LatencyHistogram().count(belowPowerOfTwo: 20) == 0)
    }

    @Test func `a difference holds what came since`() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: 100, times: 3)
        let earlier = histogram
        histogram.record(nanoseconds: 100)
        histogram.record(nanoseconds: 1_000_000, times: 2)
        let since = histogram.since(earlier)
        #expect(since.total == 3)
        #expect(since.sum == 2_000_100)
        #expect(since.recorded.map(\.times) == [1, 2])
        #expect(histogram.since(histogram).recorded.isEmpty)
        #expect(histogram.since(LatencyHistogram()).total == histogram.total)
        // One that has started anew is not older.
        #expect(earlier.since(histogram).total == earlier.total)
    }
}
