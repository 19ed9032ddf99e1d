/// How late it is in the time of a market's events, told by the events themselves.
///
/// The newest event time, moved on by the time that has passed since then: between two trades that is the difference of
/// when they were received, which a recording keeps, so that a replay comes to the same times at any speed; and while no
/// trade comes it is the time of our own clock. Our clock is believed a little less (``grace``): trades that were
/// received before it struck may still be on their way through the bus.
struct MarketClock {
    /// The newest event time.
    private(set) var watermark: Int64
    /// When the event was received that has it.
    private var readAt: Int64?
    /// The latest time that events have shown; never goes back.
    private(set) var now: Int64
    /// Our clock when the watermark was first looked at.
    private var seenAt: Int64?

    /// Nanoseconds.
    static let grace: Int64 = 200_000_000

    init(time: Int64, receivedAt: Int64?) {
        self.watermark = time
        self.readAt = receivedAt
        self.now = time
    }

    /// An event came.
    mutating func hear(time: Int64, receivedAt: Int64?) {
        var now = max(self.now, time)
        if let receivedAt, let readAt = self.readAt, receivedAt > readAt {
            now = max(now, self.watermark.clampedSum(receivedAt.clampedDifference(readAt)))
        }
        self.now = now
        if time > self.watermark {
            self.watermark = time
            self.readAt = receivedAt
            self.seenAt = nil
        }
    }

    /// How late it is when our own clock says `wall`.
    mutating func estimate(at wall: Int64) -> Int64 {
        guard let seenAt = self.seenAt, seenAt <= wall else {
            self.seenAt = wall
            return self.now
        }
        let passed = wall.clampedDifference(seenAt)
        return max(self.now, self.watermark.clampedSum(passed.clampedDifference(Self.grace)))
    }
}
