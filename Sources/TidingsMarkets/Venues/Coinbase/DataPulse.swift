/// Whether a feed brings anything that is news: heartbeats that only ever say the same prove that somebody is there, not
/// that data would come. A machine.
///
/// When nothing but such heartbeats has come for a while, something small is asked for anew, once: an answer shows that
/// the feed is quiet, no answer that it is dead, and then no heartbeat vouches for any stream.
struct DataPulse: Sendable {
    /// So long after the last news heartbeats are believed.
    static let limit: Int64 = 10_000_000_000

    private var lastNews: Int64?
    private var hasAsked = false

    /// Data has come, or a heartbeat with other numbers.
    @inline(__always)
    mutating func beat(at now: Int64) {
        self.lastNews = now
        self.hasAsked = false
    }

    /// Whether heartbeats are believed.
    func isAlive(at now: Int64) -> Bool {
        guard let lastNews = self.lastNews else { return false }
        return now.subtractingReportingOverflow(lastNews).partialValue <= Self.limit
    }

    /// Whether something is to be asked for now.
    mutating func wantsProof(at now: Int64) -> Bool {
        guard self.lastNews != nil, !self.hasAsked, !self.isAlive(at: now) else { return false }
        self.hasAsked = true
        return true
    }
}
