extension Timestamp {
    /// A time as people give it: RFC 3339, a date, or an age such as `90s`, `15m`, `2h`, `7d`.
    public init?(expression: String, relativeTo now: Timestamp = .now()) {
        if let timestamp = Timestamp(expression) {
            self = timestamp
            return
        }
        guard let unit = expression.last, let count = Int64(expression.dropLast()), (0..<1_000_000_000).contains(count),
            expression.first?.isNumber == true
        else { return nil }
        let seconds: Int64
        switch unit {
        case "s": seconds = 1
        case "m": seconds = 60
        case "h": seconds = 3600
        case "d": seconds = 86_400
        default: return nil
        }
        self = now.advanced(by: .seconds(-count * seconds))
    }
}
