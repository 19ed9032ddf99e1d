/// Why a call of a handler counts as failed though it threw nothing.
struct HandlerFailure: Error, CustomStringConvertible {
    let description: String

    /// The call did not return in time.
    static func deadline(_ deadline: Duration) -> HandlerFailure {
        HandlerFailure(description: "did not return within its deadline of \(deadline.secondsText)")
    }

    /// The call did not even return after it was cancelled.
    static func grace(_ deadline: Duration, _ grace: Duration) -> HandlerFailure {
        HandlerFailure(
            description:
                "did not return within its deadline of \(deadline.secondsText), nor within \(grace.secondsText) "
                + "of being cancelled")
    }

    static let notReached = HandlerFailure(description: "not handled before the bus stopped: an earlier call is stuck")
}

extension Duration {
    /// As people write it: `1.5 s`.
    var secondsText: String {
        let milliseconds = self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
        var text = ExactDecimal(mantissa: milliseconds, scale: 3).description
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text + " s"
    }
}
