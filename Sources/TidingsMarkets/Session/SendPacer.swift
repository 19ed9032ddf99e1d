/// Keeps the rate at which a venue lets a connection send. A machine: texts and time come in, texts to send now come out.
///
/// A bucket of tokens bounds how many go at once; a window bounds how many go in any one second, which a bucket alone
/// does not: full at first and refilled meanwhile it would let twice the rate through. Venues count WebSocket pings and
/// pongs as well (Binance: "PING, PONG, JSON"), so some room within the second is left to them.
struct SendPacer: Sendable {
    /// More texts than this do not wait: whoever has so much to say does not get it said in time.
    static let capacity = 8192
    private static let second: Int64 = 1_000_000_000

    /// Nanoseconds in which a token comes back.
    private let refill: Int64
    private let burst: Int64
    /// The bucket, in nanoseconds: `burst * refill` when full.
    private var level: Int64
    private var levelAt: Int64?
    /// When the last messages went, as many as may go in one window; a ring, `oldest` is the next to be overwritten.
    private var sent: [Int64] = []
    private var oldest = 0
    private let perWindow: Int
    private let window: Int64
    /// What waits is from `first` on.
    private var waiting: [String] = []
    private var first = 0

    init(_ limits: VenueLimits) {
        let rate = limits.messagesPerSecond.isFinite ? min(max(limits.messagesPerSecond, 0.001), 100_000) : 100_000
        self.refill = max(1, Int64(Double(Self.second) / rate))
        self.burst = Int64(min(max(limits.messageBurst, 1), 100_000))
        self.level = self.burst * self.refill
        // A ping of ours and a pong to theirs may fall into the same second.
        let whole = Int(rate)
        self.perWindow = max(1, whole >= 5 ? whole - 2 : whole >= 2 ? whole - 1 : 1)
        self.window = rate >= 1 ? Self.second : self.refill
    }

    var count: Int { self.waiting.count - self.first }

    /// A text that is to be sent after those before it. `false`: too many wait, and it is not taken.
    mutating func add(_ text: String) -> Bool {
        guard self.count < Self.capacity else { return false }
        self.waiting.append(text)
        return true
    }

    /// The next text that may go at `now`; `nil` when none waits or the venue's rate asks for patience.
    mutating func next(at now: Int64) -> String? {
        guard self.first < self.waiting.count else { return nil }
        let full = self.burst * self.refill
        let passed = max(0, now - (self.levelAt ?? now))
        self.level = passed >= full ? full : min(full, self.level + passed)
        self.levelAt = now
        let isWindowOpen = self.sent.count < self.perWindow || now - self.sent[self.oldest] >= self.window
        guard self.level >= self.refill, isWindowOpen else { return nil }
        self.level -= self.refill
        self.note(now)
        return self.take()
    }

    private mutating func note(_ now: Int64) {
        if self.sent.count < self.perWindow {
            self.sent.append(now)
        } else {
            self.sent[self.oldest] = now
            self.oldest = (self.oldest + 1) % self.perWindow
        }
    }

    private mutating func take() -> String {
        let text = self.waiting[self.first]
        self.first += 1
        if self.first == self.waiting.count {
            self.waiting.removeAll(keepingCapacity: true)
            self.first = 0
        } else if self.first >= 256 {
            self.waiting.removeFirst(self.first)
            self.first = 0
        }
        return text
    }
}
