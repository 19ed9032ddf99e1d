#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The system's monotonic clock as a plain number: what `ContinuousClock` reads, without the 128-bit arithmetic.
package enum MonotonicClock {
    @inline(__always)
    package static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
