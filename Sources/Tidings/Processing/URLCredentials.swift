/// Finds what is secret in the URLs of a text: user and password before the host, and query parameters by name.
///
/// URLs inside other URLs are seen too: there `:`, `/`, `@`, `?`, `&` and `=` are percent-encoded, once or more. The
/// text is read in one pass of bounded look-ahead, whatever it is.
struct URLCredentials {
    enum Kind: Equatable {
        case userInfo
        /// A query parameter, by the place of its name in the keys.
        case parameter(Int)
    }

    private let text: UnsafeRawBufferPointer
    private let keys: SensitiveKeys
    private var index = 0

    init(_ text: UnsafeRawBufferPointer, keys: SensitiveKeys) {
        self.text = text
        self.keys = keys
    }

    /// The bytes of the next secret, in order; `nil` when there are no more.
    mutating func next() -> (range: Range<Int>, kind: Kind)? {
        while self.index < self.text.count {
            let byte = self.text[self.index]
            // Nearly all bytes are none of these.
            switch byte {
            case UInt8(ascii: ":"), UInt8(ascii: "?"), UInt8(ascii: "&"), UInt8(ascii: "#"), UInt8(ascii: ";"),
                UInt8(ascii: "%"):
                break
            default:
                self.index &+= 1
                continue
            }
            let unit = self.unit(at: self.index)
            let start = self.index
            self.index += unit.length
            switch unit.byte {
            case UInt8(ascii: ":"):
                if let authority = self.authority(after: unit), let found = self.userInfo(authority) { return found }
            case UInt8(ascii: "?"), UInt8(ascii: "&"), UInt8(ascii: "#"), UInt8(ascii: ";"):
                if let found = self.parameter(at: start + unit.length, level: unit.level) { return found }
            default: break
            }
        }
        return nil
    }

    // MARK: Percent-encoding

    /// One character of the text, with how often it is percent-encoded.
    private struct Unit {
        var byte: UInt8
        var length: Int
        /// 0 as it is, 1 for `%40`, 2 for `%2540`.
        var level: Int
    }

    /// How often something may be encoded for us to see through it.
    private static let maximumLevel = 3

    @inline(__always)
    private func unit(at start: Int) -> Unit {
        let byte = self.text[start]
        return byte == UInt8(ascii: "%") ? self.encodedUnit(at: start) : Unit(byte: byte, length: 1, level: 0)
    }

    private func encodedUnit(at start: Int) -> Unit {
        var unit = Unit(byte: UInt8(ascii: "%"), length: 1, level: 0)
        while unit.level < Self.maximumLevel, unit.byte == UInt8(ascii: "%"),
            start + unit.length + 2 <= self.text.count,
            let high = Self.digit(self.text[start + unit.length]),
            let low = Self.digit(self.text[start + unit.length + 1])
        {
            unit = Unit(byte: high << 4 | low, length: unit.length + 2, level: unit.level + 1)
        }
        return unit
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        if byte &- UInt8(ascii: "0") < 10 { return byte &- UInt8(ascii: "0") }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }

    // MARK: User and password

    private struct Authority {
        var start: Int
        var level: Int
    }

    /// What follows `://`, when that is what stands here.
    private func authority(after colon: Unit) -> Authority? {
        var place = self.index
        var level = colon.level
        for _ in 0..<2 {
            guard place < self.text.count else { return nil }
            let unit = self.unit(at: place)
            guard unit.byte == UInt8(ascii: "/") else { return nil }
            level = max(level, unit.level)
            place += unit.length
        }
        return Authority(start: place, level: level)
    }

    private mutating func userInfo(_ authority: Authority) -> (range: Range<Int>, kind: Kind)? {
        guard let end = self.endOfUserInfo(authority) else { return nil }
        let range = authority.start..<end
        guard !range.isEmpty, !isRedacted(self.text[range]) else { return nil }
        self.index = end
        return (range, .userInfo)
    }

    /// Where the `@` before the host stands.
    private func endOfUserInfo(_ authority: Authority) -> Int? {
        var place = authority.start
        var at: Int?
        var encodedAt: Int?
        var colon: Int?
        var isPort = true
        walk: while place < self.text.count {
            let unit = self.unit(at: place)
            let isStructure = unit.level <= authority.level
            switch unit.byte {
            case UInt8(ascii: "/") where isStructure, UInt8(ascii: "?") where isStructure,
                UInt8(ascii: "#") where isStructure:
                break walk
            case UInt8(ascii: "@"):
                if isStructure { at = place } else { encodedAt = place }
            case UInt8(ascii: ":"):
                colon = place
                isPort = true
            default:
                if isStructure && Self.endsURL(unit.byte) { break walk }
                isPort = isPort && unit.byte &- UInt8(ascii: "0") < 10
            }
            place += unit.length
        }
        if let at { return at }
        // A password may hold a bare `/`, `?` or `#`: then what looks like a port is none.
        if colon != nil, !isPort, self.text[authority.start] != UInt8(ascii: "["),
            let late = self.lateAt(from: place, level: authority.level)
        {
            return late
        }
        return encodedAt
    }

    /// The last `@` within a bounded stretch without white space.
    private func lateAt(from start: Int, level: Int) -> Int? {
        var place = start
        var at: Int?
        while place < self.text.count, place - start < 256 {
            let unit = self.unit(at: place)
            if unit.level <= level {
                if unit.byte == UInt8(ascii: "@") { at = place }
                if Self.endsURL(unit.byte) { break }
            }
            place += unit.length
        }
        return at
    }

    /// White space, control characters and what no URL may hold unencoded.
    private static func endsURL(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
    }

    // MARK: Parameters

    /// A sensitive parameter whose name begins at `start`.
    private mutating func parameter(at start: Int, level: Int) -> (range: Range<Int>, kind: Kind)? {
        var name: [UInt8] = []
        var place = start
        var level = level
        while true {
            guard place < self.text.count, name.count <= 64 else { return nil }
            let unit = self.unit(at: place)
            place += unit.length
            if unit.byte == UInt8(ascii: "=") {
                level = max(level, unit.level)
                break
            }
            guard Self.isName(unit.byte) else { return nil }
            name.append(unit.byte)
        }
        guard let verdict = name.withUnsafeBytes({ self.keys.verdict($0) }) else { return nil }
        let end = self.endOfValue(from: place, level: level)
        let range = place..<end
        guard !range.isEmpty, !isRedacted(self.text[range]) else { return nil }
        switch verdict {
        case .always(let key):
            self.index = end
            return (range, .parameter(key))
        case .ifTokenLike(let key):
            guard self.decoded(range).withUnsafeBytes({ looksLikeToken($0) }) else { return nil }
            self.index = end
            return (range, .parameter(key))
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte >= 0x80
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private func endOfValue(from start: Int, level: Int) -> Int {
        var place = start
        while place < self.text.count {
            let unit = self.unit(at: place)
            if unit.level <= level,
                unit.byte == UInt8(ascii: "&") || unit.byte == UInt8(ascii: "#") || Self.endsURL(unit.byte)
            {
                break
            }
            place += unit.length
        }
        return place
    }

    private func decoded(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        var place = range.lowerBound
        while place < range.upperBound {
            let unit = self.unit(at: place)
            bytes.append(unit.byte)
            place += unit.length
        }
        return bytes
    }
}

/// Whether a text is what redaction puts in a secret's place.
func isRedacted(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
    text.elementsEqual("[redacted]".utf8)
}
