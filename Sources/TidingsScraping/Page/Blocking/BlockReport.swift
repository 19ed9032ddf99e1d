/// Who keeps robots out.
public struct BlockVendor: RawRepresentable, Sendable, Hashable {
    /// As it stands in events, such as `recaptcha`.
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    public static let recaptcha = BlockVendor(rawValue: "recaptcha")
    public static let hcaptcha = BlockVendor(rawValue: "hcaptcha")
    /// Cloudflare, its challenges and its Turnstile.
    public static let turnstile = BlockVendor(rawValue: "turnstile")
    public static let datadome = BlockVendor(rawValue: "datadome")
    public static let perimeterx = BlockVendor(rawValue: "perimeterx")
    public static let imperva = BlockVendor(rawValue: "imperva")
    public static let akamai = BlockVendor(rawValue: "akamai")
    public static let amazon = BlockVendor(rawValue: "amazon")
}

/// What a page says about whether it is the one that was asked for.
public struct BlockReport: Sendable, Hashable {
    /// The sum of what was found. The weights are a judgement and no measurement.
    public var score: Double
    /// The one that the strongest marker belongs to; nil where there is none but of status and size.
    public var vendor: BlockVendor?
    /// Whether a captcha that somebody would have to solve is on the page, blocked or not.
    public var hasCaptcha: Bool
    /// What was found, such as `status:403` or `recaptcha:.g-recaptcha`.
    public var evidence: [String]

    /// From this score on a page counts as blocked.
    public static let threshold = 0.6

    /// That a vendor is present is not enough: their scripts and cookies are on many a page that works.
    public var isBlocked: Bool { self.score >= Self.threshold - 1e-9 }
}
