import Tidings

/// Where a client wants to go on.
enum ResumePoint: Sendable, Equatable {
    /// The oldest event there is.
    case start
    /// What follows an offset, of a history that may or may not be ours.
    case offset(Int64, epoch: String?)
    /// Everything after the lowest offset whose event is not older.
    case time(Timestamp)

    /// As a WebSocket client writes it.
    init?(_ value: JSONValue) {
        if value.string == "start" {
            self = .start
            return
        }
        guard let object = value.object else { return nil }
        if let offset = object["offset"] {
            guard let number = offset.int, number >= 0 else { return nil }
            var epoch: String?
            if let value = object["epoch"], value != .null {
                guard let text = value.string else { return nil }
                epoch = text
            }
            self = .offset(Int64(number), epoch: epoch)
        } else if let text = object["time"]?.string, let time = TimeParameter.parse(text) {
            self = .time(time)
        } else {
            return nil
        }
    }

    /// As an SSE client or a query writes it: `42` or `<epoch>-42`.
    init?(eventID text: String) {
        if let offset = Int64(text), offset >= 0 {
            self = offset == 0 ? .start : .offset(offset, epoch: nil)
            return
        }
        guard let dash = text.lastIndex(of: "-"), let offset = Int64(text[text.index(after: dash)...]), offset >= 0
        else { return nil }
        self = .offset(offset, epoch: String(text[..<dash]))
    }

    /// Where that is in a log.
    struct Resolution: Sendable, Equatable {
        /// What is delivered lies above this.
        var after: Int64
        /// Whether nothing that the client could miss is gone.
        var isRecovered: Bool
        /// The oldest offset still there.
        var oldest: Int64
    }

    func resolve(in log: any EventLog) async throws(EventLogError) -> Resolution {
        var found: Int64 = 0
        if case .time(let time) = self { found = try await log.offset(notBefore: time) }
        let bounds = log.bounds
        let lost = Resolution(after: bounds.oldest - 1, isRecovered: false, oldest: bounds.oldest)
        switch self {
        case .start:
            return Resolution(after: bounds.oldest - 1, isRecovered: true, oldest: bounds.oldest)
        case .offset(let offset, let epoch):
            // An offset that we have not reached belongs to a history that was lost.
            let last = epoch.map { $0 == log.epoch ? bounds.head : log.earlierEpochs[$0] ?? -1 } ?? bounds.head
            guard offset + 1 >= bounds.oldest, offset <= min(last, bounds.head) else { return lost }
            return Resolution(after: offset, isRecovered: true, oldest: bounds.oldest)
        case .time:
            // Where the oldest we have is new enough already, newer ones may be gone.
            if found <= bounds.oldest && bounds.oldest > 1 { return lost }
            return Resolution(after: found - 1, isRecovered: true, oldest: bounds.oldest)
        }
    }
}
