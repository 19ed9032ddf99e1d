/// One cookie as a jar keeps it; https://www.rfc-editor.org/rfc/rfc6265#section-5.3
struct Cookie: Sendable, Hashable {
    var name: String
    var value: String
    /// In lower case, without a leading dot.
    var domain: String
    /// Whether it is for exactly that host.
    var isHostOnly: Bool
    var path: String
    var isSecure: Bool
    /// Seconds since 1970; nil ends with the session.
    var expires: Double?

    /// Reads a `Set-Cookie` that came from an address; nil for one that is to be ignored, as section 5.2 has it.
    init?(_ header: String, from address: PageAddress, now: Double) {
        let parts = header.split(separator: ";", omittingEmptySubsequences: false).map { String($0).trimmed() }
        guard let pair = parts.first, let equals = pair.firstIndex(of: "="), equals > pair.startIndex else {
            return nil
        }
        self.name = String(pair[..<equals]).trimmed()
        self.value = String(pair[pair.index(after: equals)...]).trimmed()
        guard !self.name.isEmpty, self.name.utf8.count + self.value.utf8.count <= CookieJar.maximumSize else {
            return nil
        }
        guard !header.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else { return nil }
        (self.domain, self.isHostOnly, self.path) = (address.host, true, Self.defaultPath(address.path))
        (self.isSecure, self.expires) = (false, nil)
        var maximumAge: Double?
        for part in parts.dropFirst() {
            let (name, value) = Self.split(part)
            switch name {
            case "domain":
                let domain = (value.hasPrefix(".") ? String(value.dropFirst()) : value).lowercased()
                guard !domain.isEmpty else { continue }
                self.domain = domain
                self.isHostOnly = false
            case "path": self.path = value.hasPrefix("/") ? value : Self.defaultPath(address.path)
            case "secure": self.isSecure = true
            case "max-age":
                if let seconds = Int(value) { maximumAge = seconds <= 0 ? 0 : now + Double(seconds) }
            case "expires": self.expires = CookieDate.seconds(value) ?? self.expires
            default: break
            }
        }
        if let maximumAge { self.expires = maximumAge }
        guard Self.host(address.host, isIn: self.domain) else { return nil }
        // Without a list of public suffixes, at least none for a whole top-level domain or for an IP address.
        if !self.isHostOnly, self.domain == address.host { self.isHostOnly = NetworkAddress(address.host) != nil }
        if !self.isHostOnly, !self.domain.contains("."), self.domain != address.host { return nil }
        if self.isSecure, !address.isSecure { return nil }
    }

    private static func split(_ part: String) -> (String, String) {
        guard let equals = part.firstIndex(of: "=") else { return (part.lowercased(), "") }
        return (String(part[..<equals]).trimmed().lowercased(), String(part[part.index(after: equals)...]).trimmed())
    }

    /// Section 5.1.4.
    private static func defaultPath(_ path: String) -> String {
        guard path.hasPrefix("/"), let last = path.lastIndex(of: "/"), last > path.startIndex else { return "/" }
        return String(path[..<last])
    }

    /// Section 5.1.3.
    static func host(_ host: String, isIn domain: String) -> Bool {
        host == domain || host.hasSuffix("." + domain) && NetworkAddress(host) == nil
    }

    /// Section 5.4.
    func matches(_ address: PageAddress) -> Bool {
        guard self.isHostOnly ? address.host == self.domain : Self.host(address.host, isIn: self.domain) else {
            return false
        }
        guard !self.isSecure || address.isSecure else { return false }
        guard address.path != self.path else { return true }
        return address.path.hasPrefix(self.path)
            && (self.path.hasSuffix("/") || address.path.dropFirst(self.path.count).hasPrefix("/"))
    }
}

/// Dates as cookies have them; https://www.rfc-editor.org/rfc/rfc6265#section-5.1.1
enum CookieDate {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    static func seconds(_ text: String) -> Double? {
        var (time, day, month, year): ((Int, Int, Int)?, Int?, Int?, Int?)
        let tokens = text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == ":")) }
        for token in tokens {
            let digits = token.prefix { $0.isNumber }
            if time == nil, token.contains(":") {
                let parts = token.split(separator: ":").map { Int($0.prefix { $0.isNumber }) ?? -1 }
                if parts.count == 3, parts.allSatisfy({ $0 >= 0 }) { time = (parts[0], parts[1], parts[2]) }
            } else if day == nil, (1...2).contains(digits.count) {
                day = Int(digits)
            } else if month == nil, let index = Self.months.firstIndex(of: String(token.prefix(3)).lowercased()) {
                month = index + 1
            } else if year == nil, (2...4).contains(digits.count), let number = Int(digits) {
                year = number < 70 ? number + 2000 : number < 100 ? number + 1900 : number
            }
        }
        guard let (hour, minute, second) = time, let day, let month, let year else { return nil }
        guard (1...31).contains(day), year >= 1601, hour < 24, minute < 60, second < 60 else { return nil }
        // Days from the civil calendar, counted in years that begin in March.
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return Double(days * 86_400 + hour * 3600 + minute * 60 + second)
    }
}
