/// The cookies of a session, in memory; https://www.rfc-editor.org/rfc/rfc6265#section-5
struct CookieJar: Sendable {
    /// Bytes of a name and its value; section 6.1 asks for at least 4096 of a cookie.
    static let maximumSize = 4096
    static let maximumPerDomain = 50
    var maximumCount = 3000

    /// In the order of their creation.
    private(set) var cookies: [Cookie] = []

    /// Keeps what a response sets. Expired ones are removed, and the oldest where there are too many.
    mutating func store(_ headers: [String], from address: PageAddress, now: Double) {
        for header in headers {
            guard let cookie = Cookie(header, from: address, now: now) else { continue }
            let place = self.cookies.firstIndex {
                $0.name == cookie.name && $0.domain == cookie.domain && $0.path == cookie.path
            }
            if let expires = cookie.expires, expires <= now {
                if let place { self.cookies.remove(at: place) }
            } else if let place {
                self.cookies[place] = cookie
            } else {
                self.cookies.append(cookie)
                self.trim(cookie.domain)
            }
        }
    }

    private mutating func trim(_ domain: String) {
        if self.cookies.count(where: { $0.domain == domain }) > Self.maximumPerDomain,
            let oldest = self.cookies.firstIndex(where: { $0.domain == domain })
        {
            self.cookies.remove(at: oldest)
        }
        if self.cookies.count > self.maximumCount { self.cookies.removeFirst() }
    }

    /// The value of `Cookie` for a request; nil for none. Longer paths first; section 5.4.
    mutating func header(for address: PageAddress, now: Double) -> String? {
        self.cookies.removeAll { ($0.expires ?? .infinity) <= now }
        let matching = self.cookies.enumerated().filter { $0.element.matches(address) }
            .sorted { ($1.element.path.count, $0.offset) < ($0.element.path.count, $1.offset) }
        guard !matching.isEmpty else { return nil }
        return matching.map { "\($0.element.name)=\($0.element.value)" }.joined(separator: "; ")
    }
}
