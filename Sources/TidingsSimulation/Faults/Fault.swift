internal import Tidings

/// Something that goes wrong on purpose at a second of the playback. Each happens once per simulator, to the first
/// connection whose playback gets there.
public struct Fault: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// The TCP connection is cut, without a close frame.
        case drop
        /// The connection is cut, and handshakes and HTTP requests are refused with 429 and `Retry-After` for three
        /// seconds.
        case tooManyRequests = "429"
        /// A frame that is not whole JSON is sent between two others.
        case garbage
        /// No more data on this connection, while pings and subscriptions are still answered.
        case stale
        /// The connection is closed with code 1012, service restart.
        case serviceRestart = "close-1012"
        /// The socket stays open, but nothing is read, answered or sent on it any more.
        case halfOpen = "half-open"
        /// The rest of this connection's playback is ten times slower; what ran at `max` goes on at the recorded pace.
        case slow
        /// The next 20 frames of this connection's subscriptions are left out.
        case gap
        /// An error is put into the next book of this connection's subscriptions that a careful client notices: on
        /// Kraken a digit of a size is another one than the checksum says, elsewhere a bid stands above all asks.
        case corrupt
    }

    public var kind: Kind
    /// When, counted in the recording's own time from its first frame, whatever the speed.
    public var time: Duration

    public init(_ kind: Kind, at time: Duration) {
        self.kind = kind
        self.time = time
    }

    /// Reads `KIND@SECONDS`, such as `drop@5` or `stale@2.5`.
    public init(_ text: String) throws(ExchangeSimulatorError) {
        guard let separator = text.lastIndex(of: "@") else {
            throw ExchangeSimulatorError(.invalidFault, "fault '\(text)': expected KIND@SECONDS, such as drop@5")
        }
        let kind = String(text[..<separator])
        let seconds = String(text[text.index(after: separator)...])
        guard let known = Kind(rawValue: kind) else {
            let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ExchangeSimulatorError(.invalidFault, "fault '\(text)': unknown kind '\(kind)', known are \(kinds)")
        }
        guard let number = ExactDecimal(seconds), let nanoseconds = number.nanoseconds, nanoseconds >= 0 else {
            throw ExchangeSimulatorError(
                .invalidFault, "fault '\(text)': '\(seconds)' is not a number of seconds, such as 5 or 2.5")
        }
        self.init(known, at: .nanoseconds(nanoseconds))
    }
}

extension Fault: CustomStringConvertible {
    public var description: String {
        let (seconds, attoseconds) = self.time.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return "\(self.kind.rawValue)@\(ExactDecimal(mantissa: nanoseconds, scale: 9).trimmed)"
    }
}

extension ExactDecimal {
    /// A number of seconds as whole nanoseconds; `nil` when it does not fit (292 years) or is written in an odd way.
    var nanoseconds: Int64? {
        guard let (mantissa, scale) = self.compact else { return nil }
        if scale >= 9 {
            guard scale <= 18 else { return nil }
            return mantissa / Int64(powerOfTen(Int(scale) - 9))
        }
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: Int64(powerOfTen(9 - Int(scale))))
        return overflow ? nil : product
    }

    /// Without zeros at the end of the fraction.
    var trimmed: ExactDecimal {
        guard var (mantissa, scale) = self.compact else { return self }
        while scale > 0, mantissa % 10 == 0 {
            mantissa /= 10
            scale -= 1
        }
        return ExactDecimal(mantissa: mantissa, scale: scale)
    }
}
