import Tidings

extension VenueOutput.Problem {
    /// A frame that makes no sense; its beginning is kept for whoever looks into it.
    static func unreadable(_ frame: UnsafeRawBufferPointer, _ reason: String) -> VenueOutput.Problem {
        let beginning = String(decoding: frame.prefix(200), as: UTF8.self)
        return VenueOutput.Problem(
            code: "PARSE", message: "unreadable frame: \(reason)", details: ["frame": .string(beginning)])
    }
}

extension VenueOutput.Problem {
    /// The venue has answered a request with 429 or 418.
    static func rateLimit(_ limit: VenueHTTP.Limit) -> VenueOutput.Problem {
        let seconds = Int((limit.pause / .seconds(1)).rounded(.up))
        return VenueOutput.Problem(
            code: "RATE_LIMIT", message: "Rate limit exceeded",
            details: [
                "status": .number(ExactDecimal(limit.status)),
                "retry_after_seconds": .number(ExactDecimal(seconds)),
            ])
    }
}

extension StableHash {
    /// Adds a number by its digits, so that `1.0` and `1.00` differ as their texts do.
    mutating func combine(_ number: ExactDecimal?) {
        guard let number else { return self.combine(.max as UInt64) }
        if let (mantissa, scale) = number.compact {
            self.combine(mantissa)
            self.combine(UInt64(scale))
        } else {
            self.combine(number.description)
        }
    }
}
