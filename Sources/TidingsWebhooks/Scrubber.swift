import Tidings

/// Takes texts that must not be seen out of what others send.
struct Scrubber: Sendable {
    private let secrets: [String]
    /// Finds secrets of others by their looks.
    private let redaction = Redaction()

    /// Texts of fewer than four characters are left alone: they are no secrets, and are found everywhere.
    init(_ secrets: [String]) {
        self.secrets = Set(secrets.filter { $0.count >= 4 }).sorted { $0.count > $1.count }
    }

    /// One line of at most `limit` scalars without the secrets and without what could steer a terminal.
    ///
    /// - Parameter isCut: whether the text goes on, so that it may end in the middle of a secret.
    func line(_ text: String, isCut: Bool = false, limit: Int) -> String {
        var text = text
        for secret in self.secrets { text.replace(secret, with: "[redacted]") }
        if isCut { text = self.withoutBeginning(text) }
        text = self.redaction.redact(text: text)
        return text.oneLine(limit: limit)
    }

    /// The text without the beginning of a secret at its end.
    private func withoutBeginning(_ text: String) -> String {
        // The last character itself may be cut in two.
        let bytes = Array((text.last == "\u{FFFD}" ? text.dropLast() : text[...]).utf8)
        let longest = self.secrets.map { secret -> Int in
            let secret = Array(secret.utf8)
            return (1...secret.count).last { bytes.suffix($0).elementsEqual(secret.prefix($0)) } ?? 0
        }.max()
        guard let longest, longest > 0 else { return text }
        return String(decoding: bytes.dropLast(longest), as: UTF8.self) + "[redacted]"
    }
}

extension String {
    /// The text with control characters as spaces, white space run together, cut to a number of Unicode
    /// scalars.
    func oneLine(limit: Int) -> String {
        let scalars = self.unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x2028...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value) ? " " : scalar
        }
        let line = String(String.UnicodeScalarView(scalars)).split(separator: " ").joined(separator: " ")
        guard line.unicodeScalars.count > limit else { return line }
        return String(line.unicodeScalars.prefix(limit - 1)) + "…"
    }
}
