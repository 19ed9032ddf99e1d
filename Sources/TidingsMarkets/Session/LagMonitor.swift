import Tidings

/// Notices a feed that falls behind: whose frames come ever later after the venue made them. A machine.
///
/// Clocks differ, so what counts is not how late frames are but how much later than the promptest one of the connection.
struct LagMonitor: Sendable {
    private let limit: Int64
    /// The least difference seen between our clock and the venue's time.
    private var least: Int64?
    /// Only what is newer than everything before says how far the feed is.
    private var newest: Int64 = .min
    private var isTold = false

    /// - Parameter limit: how far a feed may fall behind.
    init(limit: Duration) {
        self.limit = limit.boundedNanoseconds
    }

    /// A connection has been opened, or nothing could be read for a while: what was measured before says nothing.
    mutating func restart() {
        self.least = nil
        self.isTold = false
    }

    /// Something has come that the venue made at `venueTime`, in nanoseconds; `now` is our clock, any one that goes on.
    ///
    /// - Returns: how far behind the feed is, once for each time that it is too far.
    mutating func note(venueTime: Int64, at now: Int64) -> Int64? {
        guard venueTime > self.newest else { return nil }
        self.newest = venueTime
        let (delay, overflow) = now.subtractingReportingOverflow(venueTime)
        if overflow { return nil }
        guard let least = self.least, delay > least else {
            self.least = delay
            return nil
        }
        let lag = delay.subtractingReportingOverflow(least)
        guard !lag.overflow, lag.partialValue >= self.limit, !self.isTold else { return nil }
        self.isTold = true
        return lag.partialValue
    }
}
