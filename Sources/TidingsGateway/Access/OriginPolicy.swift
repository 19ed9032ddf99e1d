/// Which web pages may open WebSockets and publish: the gateway's own, and those named in the configuration.
///
/// Browsers name the page in `Origin`; other programs do not, and are not concerned.
struct OriginPolicy: Sendable {
    private let allowed: Set<String>
    /// Whether the only protection is that nobody else can reach us: then a page of any other name, even one that
    /// resolves to this machine, is a stranger.
    private let isLoopback: Bool

    init(_ configuration: GatewayConfiguration) {
        self.allowed = Set(configuration.allowedOrigins.map { Self.normalised($0) })
        self.isLoopback = ListenPolicy.isLoopback(configuration.host)
    }

    func allows(origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        let normalised = Self.normalised(origin)
        if self.allowed.contains(normalised) { return true }
        guard let page = Self.authority(of: normalised), let host else { return false }
        let scheme = normalised.prefix { $0 != ":" }
        guard page == Self.normalised("\(scheme)://\(host)").dropFirst(scheme.count + 3) else { return false }
        return !self.isLoopback || ListenPolicy.isLoopback(Self.hostName(of: page))
    }

    /// Whether any are named in the configuration.
    var hasListed: Bool { !self.allowed.isEmpty }

    /// Whether an origin is named in the configuration, so that its pages may read as well.
    func isListed(_ origin: String) -> Bool { self.allowed.contains(Self.normalised(origin)) }

    /// In lower case, without a default port and a trailing slash.
    private static func normalised(_ origin: String) -> String {
        var text = origin.lowercased()
        if text.hasSuffix("/") { text.removeLast() }
        if text.hasPrefix("http://"), text.hasSuffix(":80") { text.removeLast(3) }
        if text.hasPrefix("https://"), text.hasSuffix(":443") { text.removeLast(4) }
        return text
    }

    private static func authority(of origin: String) -> Substring? {
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) { return origin.dropFirst(scheme.count) }
        return nil
    }

    private static func hostName(of authority: Substring) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }
}
