/// Base64 with padding (RFC 4648, section 4), which is how bytes travel inside JSON.
enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
            var at = 0
            var index = 0
            while index < bytes.count {
                let left = bytes.count - index
                let group =
                    UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                    | (left > 2 ? UInt32(bytes[index + 2]) : 0)
                text[at] = self.alphabet[Int(group >> 18)]
                text[at + 1] = self.alphabet[Int(group >> 12 & 63)]
                text[at + 2] = left > 1 ? self.alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "=")
                text[at + 3] = left > 2 ? self.alphabet[Int(group & 63)] : UInt8(ascii: "=")
                at += 4
                index += 3
            }
            return at
        }
    }

    static func isValid(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { self.isValid(UnsafeRawBufferPointer($0)) }
    }

    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count % 4 == 0 else { return false }
        var end = bytes.count
        while end > 0, bytes.count - end < 2, bytes[end - 1] == UInt8(ascii: "=") { end -= 1 }
        return bytes[..<end].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }
}
