import Tidings
import TidingsWebSocket

/// Why a connection ended or did not come about, as it is told.
struct ConnectionFailure: Sendable, Equatable {
    var code = "CONNECTION"
    var reason: String
    var details = JSONObject()
    /// How long the venue asks to be left alone.
    var retryAfter: Duration?

    init(_ reason: String) {
        self.reason = reason
    }

    /// The longest that a venue can make us wait; Binance's longest ban.
    private static let longestBan = 3 * 86_400

    /// A connection that was open. The venue's close code and reason are kept.
    init(_ closure: WebSocketClosure) {
        if let cause = closure.cause {
            self.reason = cause.message
        } else {
            // The text is the venue's, of at most 123 bytes.
            self.reason = "closed with \(closure.code)" + (closure.reason.isEmpty ? "" : ", \(closure.reason)")
        }
        var details: [(String, JSONValue)] = [("close_code", .number(ExactDecimal(Int(closure.code.rawValue))))]
        if !closure.reason.isEmpty { details.append(("close_reason", .string(closure.reason))) }
        self.details = JSONObject(details)
    }

    /// An attempt to connect. A venue that answers 418 or 429 wants to be left alone for a while.
    init(_ error: WebSocketError) {
        self.reason = error.message
        guard let status = error.status else { return }
        var details: [(String, JSONValue)] = [("status", .number(ExactDecimal(status)))]
        let asked = error.retryAfterSeconds.map { min($0, Self.longestBan) }
        if status == 429 || status == 418 {
            // Without a word of the venue: a while for a limit, longer for a ban.
            let seconds = asked ?? (status == 418 ? 120 : 5)
            self.code = "RATE_LIMIT"
            self.reason = "Rate limit exceeded"
            self.retryAfter = .seconds(seconds)
        } else if let asked {
            self.retryAfter = .seconds(asked)
        }
        if let retryAfter = self.retryAfter {
            details.append(("retry_after_seconds", .number(ExactDecimal(Int(retryAfter / .seconds(1))))))
        }
        self.details = JSONObject(details)
    }
}
