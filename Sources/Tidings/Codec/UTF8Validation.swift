/// The offset of the first byte that is not part of valid UTF-8 (Unicode 15, table 3-7); `nil` when all is valid.
package func firstInvalidUTF8(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var index = 0
    let count = bytes.count
    while index < count {
        let lead = bytes[index]
        if lead < 0x80 {
            index &+= 1
            continue
        }
        let length: Int
        var range: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, range) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE, 0xEF: length = 3
        case 0xED: (length, range) = (3, 0x80...0x9F)
        case 0xF0: (length, range) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, range) = (4, 0x80...0x8F)
        default: return index
        }
        guard index &+ length <= count, range.contains(bytes[index &+ 1]) else { return index }
        var offset = 2
        while offset < length {
            guard (0x80...0xBF).contains(bytes[index &+ offset]) else { return index }
            offset &+= 1
        }
        index &+= length
    }
    return nil
}
