/// How the bytes of a page stand for text.
///
/// The names and their many spellings are those of https://encoding.spec.whatwg.org/#names-and-labels.
public struct HTMLCharset: Sendable, Hashable, CustomStringConvertible {
    /// The standard's name, in lower case: `utf-8`, `windows-1252`, `shift_jis`.
    public let name: String

    public static let utf8 = HTMLCharset(name: "utf-8")
    public static let windows1252 = HTMLCharset(name: "windows-1252")
    public static let utf16LittleEndian = HTMLCharset(name: "utf-16le")
    public static let utf16BigEndian = HTMLCharset(name: "utf-16be")

    init(name: String) {
        self.name = name
    }

    /// The charset that a label means; nil for one that the standard does not know.
    public init?(label: String) {
        let label = label.trimmed().lowercased()
        guard let name = CharsetLabels.names[label] else { return nil }
        self.name = name
    }

    public var description: String { self.name }

    /// What a browser would take a page to be written in: its byte order mark, else the charset of the response's
    /// `Content-Type`, else that of a `meta` among the first 1,024 bytes, else UTF-8 if it is nothing but that, else
    /// windows-1252.
    ///
    /// https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding; that a page without any
    /// label may be UTF-8 is what the standard leaves to our knowledge of it.
    public static func detect(_ bytes: [UInt8], contentType: String? = nil) -> HTMLCharset {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return .utf8 }
        if bytes.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
        if bytes.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
        if let contentType, let label = MetaCharset.label(in: Array(contentType.utf8)) {
            if let charset = HTMLCharset(label: label) { return charset }
        }
        if let charset = MetaCharset.find(in: bytes.prefix(1024)) { return charset }
        return bytes.contains { $0 >= 0x80 } && String(validating: bytes, as: UTF8.self) == nil ? .windows1252 : .utf8
    }

    /// The bytes as UTF-8, without a byte order mark; what the charset has no meaning for becomes U+FFFD.
    public func utf8(from bytes: [UInt8]) -> [UInt8] {
        switch self.name {
        case "utf-8":
            let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
            // A valid text, by far the most common, is kept as it is; else each maximal part of a broken sequence is
            // replaced, as the standard has it.
            if String(validating: text, as: UTF8.self) != nil { return Array(text) }
            return Array(String(decoding: text, as: UTF8.self).utf8)
        case "windows-1252": return SingleByteText.windows1252(bytes)
        case "x-user-defined": return SingleByteText.userDefined(bytes)
        case "utf-16le", "utf-16be": return WideText.utf8(from: bytes, isBigEndian: self.name == "utf-16be")
        case "replacement": return bytes.isEmpty ? [] : [0xEF, 0xBF, 0xBD]
        default: return SystemText.utf8(from: bytes, charset: self.name)
        }
    }
}

extension String {
    /// Without the ASCII white space at its ends.
    func trimmed() -> String {
        let text = self.utf8.drop(while: HTMLText.isSpace)
        guard let last = text.lastIndex(where: { !HTMLText.isSpace($0) }) else { return "" }
        return String(text[...last]) ?? ""
    }
}
