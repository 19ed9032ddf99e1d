internal import Tidings

/// How fast a playback runs.
public struct PlaybackSpeed: Hashable, Sendable, CustomStringConvertible {
    /// Times the recorded pace; `nil` = as fast as the client takes it.
    package let factor: Double?

    /// As fast as the client takes it.
    public static let max = PlaybackSpeed(factor: nil)

    /// `factor` times the recorded pace; has to be above zero, up to a million.
    public static func times(_ factor: Double) -> PlaybackSpeed {
        PlaybackSpeed(factor: Swift.min(Swift.max(factor.isNaN ? 1 : factor, 1e-6), 1e6))
    }

    private init(factor: Double?) {
        self.factor = factor
    }

    /// Reads `max` or a number above zero, such as `1`, `10` or `0.5`.
    public init(_ text: String) throws(ExchangeSimulatorError) {
        if text == "max" {
            self = .max
            return
        }
        guard let factor = ExactDecimal(text)?.doubleValue, factor >= 1e-6, factor <= 1e6 else {
            throw ExchangeSimulatorError(
                .invalidSpeed, "speed '\(text)': expected 'max' or a number from 0.000001 to 1000000")
        }
        self = .times(factor)
    }

    public var description: String {
        self.factor.map { "\($0)" } ?? "max"
    }
}
