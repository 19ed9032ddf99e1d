import Tidings

/// Why no more events are taken at the moment, and when to come back. Nothing is wrong with the events themselves.
struct IngestStop: Sendable, Equatable {
    /// A word for programs: `full`, `rate_limit`, or why the bus or its log does not work.
    let code: String
    let message: String
    let retryAfter: Duration

    /// Whether the client has to slow down; otherwise something of ours does not work.
    var isClientsTurn: Bool { self.code == "full" || self.code == "rate_limit" }

    static func rateLimit(_ rate: Double, retryAfter: Duration) -> IngestStop {
        let shown = rate == rate.rounded() && rate < 1e15 ? "\(Int(rate))" : "\(rate)"
        return IngestStop(
            code: "rate_limit", message: "more than \(shown) events per second (limits.publish_rate)",
            retryAfter: retryAfter)
    }

    init(code: String, message: String, retryAfter: Duration) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// nil when the event itself is refused.
    init?(_ error: EventBusError) {
        switch error.code {
        case .store, .stopped, .full, .disconnected:
            self.init(code: error.code.rawValue, message: error.message, retryAfter: .seconds(1))
        default: return nil
        }
    }

    var retryMilliseconds: Int {
        let (seconds, attoseconds) = self.retryAfter.components
        return Int(min(max(seconds, 0), 86_400)) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }

    /// Whole seconds, as `Retry-After` has them; never 0, which would mean at once.
    var retrySeconds: Int { max(1, (self.retryMilliseconds + 999) / 1000) }
}
