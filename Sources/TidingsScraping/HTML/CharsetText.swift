#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// https://encoding.spec.whatwg.org/#index-windows-1252
enum SingleByteText {
    /// 0x80 to 0x9F; the rest is Latin-1.
    private static let middle: [UInt16] = [
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D,
        0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x009D, 0x017E, 0x0178,
    ]

    static func windows1252(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            switch byte {
            case 0..<0x80: result.append(byte)
            case 0x80..<0xA0: Self.append(self.middle[Int(byte) - 0x80], to: &result)
            default: Self.append(UInt16(byte), to: &result)
            }
        }
        return result
    }

    /// https://encoding.spec.whatwg.org/#x-user-defined-decoder
    static func userDefined(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if byte < 0x80 { result.append(byte) } else { Self.append(0xF780 + UInt16(byte) - 0x80, to: &result) }
        }
        return result
    }

    /// None of them is a surrogate.
    private static func append(_ point: UInt16, to result: inout [UInt8]) {
        if point < 0x800 {
            result.append(0xC0 | UInt8(truncatingIfNeeded: point >> 6))
        } else {
            result.append(0xE0 | UInt8(truncatingIfNeeded: point >> 12))
            result.append(0x80 | UInt8(truncatingIfNeeded: point >> 6 & 0x3F))
        }
        result.append(0x80 | UInt8(truncatingIfNeeded: point & 0x3F))
    }
}

/// UTF-16 in either order.
enum WideText {
    static func utf8(from bytes: [UInt8], isBigEndian: Bool) -> [UInt8] {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2 + 1)
        var index = 0
        while index + 1 < bytes.count {
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            units.append(isBigEndian ? first << 8 | second : second << 8 | first)
            index += 2
        }
        // Half a unit at the end.
        if index < bytes.count { units.append(0xFFFD) }
        if units.first == 0xFEFF { units.removeFirst() }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }
}

/// Whatever else the C library's iconv knows.
enum SystemText {
    static func utf8(from bytes: [UInt8], charset: String) -> [UInt8] {
        let converter = iconv_open("UTF-8", Self.systemName(of: charset))
        // Only a system without its tables has none of these; windows-1252 then shows the ASCII in it.
        guard Int(bitPattern: converter) != -1 else { return SingleByteText.windows1252(bytes) }
        defer { iconv_close(converter) }
        var source = bytes.map { CChar(bitPattern: $0) }
        var result: [UInt8] = []
        var room = [CChar](repeating: 0, count: 16_384)
        source.withUnsafeMutableBufferPointer { source in
            var (input, left) = (source.baseAddress, source.count)
            while left > 0 {
                let (code, written) = room.withUnsafeMutableBufferPointer { room in
                    var (output, free) = (room.baseAddress, room.count)
                    let answer = iconv(converter, &input, &left, &output, &free)
                    return (answer == -1 ? errno : 0, room.count - free)
                }
                result.append(contentsOf: room[..<written].lazy.map { UInt8(bitPattern: $0) })
                guard code != 0, code != E2BIG, left > 0 else { continue }
                // One that means nothing, or the first bytes of one at the end.
                result.append(contentsOf: [0xEF, 0xBF, 0xBD])
                if code == EINVAL { break }
                input = input?.advanced(by: 1)
                left -= 1
            }
        }
        return result
    }

    /// What iconv calls a charset where it is not by the standard's name.
    private static func systemName(of charset: String) -> String {
        switch charset {
        case "gbk", "gb18030": "GB18030"
        case "shift_jis": "CP932"
        case "euc-kr": "CP949"
        case "big5": "BIG5-HKSCS"
        case "iso-8859-8-i": "ISO-8859-8"
        case "macintosh": "MACINTOSH"
        case "x-mac-cyrillic": "MAC-UK"
        case "ibm866": "CP866"
        case "windows-874": "CP874"
        default: charset.hasPrefix("windows-") ? "CP" + charset.dropFirst(8) : charset.uppercased()
        }
    }
}
