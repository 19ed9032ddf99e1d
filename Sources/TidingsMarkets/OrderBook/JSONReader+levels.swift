import Tidings

/// Lists of levels as most venues write them.
extension JSONReader {
    /// Reads `[["price","size"], ...]` behind what the list holds; texts or numbers, and what follows in a level is passed
    /// over.
    ///
    /// - Returns: whether all of it were levels: what is none, or has no price above zero or a size below it, is left out.
    mutating func readLevels(into list: inout LevelList) throws(JSONSyntaxError) -> Bool {
        guard try self.kind() == .array else {
            try self.skipValue()
            return false
        }
        try self.beginArray()
        var isFirst = true
        var areLevels = true
        while try self.nextElement(isFirst: &isFirst) {
            self.readPlainLevels(into: &list)
            // The pair at which the quick way ended, if it did not end with the list.
            if self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: "]") { continue }
            if try !self.readLevel(into: &list) { areLevels = false }
        }
        return areLevels
    }

    /// Reads `[["buy","price","size"], ...]`, Coinbase's changes; `sell` is the other side.
    ///
    /// - Returns: whether all of it were changes; what is none is left out.
    mutating func readSidedLevels(bids: inout LevelList, asks: inout LevelList) throws(JSONSyntaxError) -> Bool {
        guard try self.kind() == .array else {
            try self.skipValue()
            return false
        }
        try self.beginArray()
        var isFirst = true
        var areLevels = true
        while try self.nextElement(isFirst: &isFirst) {
            guard try self.kind() == .array else {
                try self.skipValue()
                areLevels = false
                continue
            }
            try self.beginArray()
            var isFirstPart = true
            guard try self.nextElement(isFirst: &isFirstPart) else {
                areLevels = false
                continue
            }
            guard try self.kind() == .string else {
                try self.skipValue()
                _ = try self.readNumbers(isFirst: &isFirstPart)
                areLevels = false
                continue
            }
            let side = try self.readString()
            let (isBuy, isSell) = (side.equals("buy"), side.equals("sell"))
            guard let (price, size) = try self.readNumbers(isFirst: &isFirstPart), isBuy || isSell else {
                areLevels = false
                continue
            }
            if isBuy { bids.append(price: price, size: size) } else { asks.append(price: price, size: size) }
        }
        return areLevels
    }

    /// One level of any form, with the reader at it.
    private mutating func readLevel(into list: inout LevelList) throws(JSONSyntaxError) -> Bool {
        guard try self.kind() == .array else {
            try self.skipValue()
            return false
        }
        try self.beginArray()
        var isFirst = true
        guard let (price, size) = try self.readNumbers(isFirst: &isFirst) else { return false }
        list.append(price: price, size: size)
        return true
    }

    /// Price and size, and the end of the array that they are in; `nil` when one is missing or no number.
    private mutating func readNumbers(
        isFirst: inout Bool
    ) throws(JSONSyntaxError) -> (price: ExactDecimal, size: ExactDecimal)? {
        guard try self.nextElement(isFirst: &isFirst) else { return nil }
        let price = try self.looseNumber()
        guard try self.nextElement(isFirst: &isFirst) else { return nil }
        let size = try self.looseNumber()
        while try self.nextElement(isFirst: &isFirst) { try self.skipValue() }
        guard let price, let size, price > .zero, size >= .zero else { return nil }
        return (price, size)
    }

    // MARK: The quick way

    /// Reads pairs of plain texts, `["1.5","2"],["1.4","1"]`, without white space, for as long as there are such.
    ///
    /// The reader is at an element, and afterwards either at the list's closing bracket, behind all of them, or at the
    /// first element that is something else.
    @inline(__always)
    private mutating func readPlainLevels(into list: inout LevelList) {
        guard let start = self.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        // The longest pair that is read here has 49 bytes: every byte looked at below is inside.
        let last = self.bytes.count &- 64
        var index = self.index
        while index <= last {
            var at = start + index
            guard at[0] == UInt8(ascii: "["), at[1] == UInt8(ascii: "\"") else { break }
            at += 2
            guard let price = Self.plainNumber(&at), price.mantissa != 0, at[0] == UInt8(ascii: "\""),
                at[1] == UInt8(ascii: ","),
                at[2] == UInt8(ascii: "\"")
            else { break }
            at += 3
            guard let size = Self.plainNumber(&at), at[0] == UInt8(ascii: "\""), at[1] == UInt8(ascii: "]") else {
                break
            }
            // Another one has to follow, or the end of the list: anything else is looked at step by step.
            let next = at[2]
            if next == UInt8(ascii: ",") {
                guard at[3] == UInt8(ascii: "[") else { break }
            } else if next != UInt8(ascii: "]") {
                break
            }
            list.append(
                LevelList.Entry(
                    price: price.mantissa, size: size.mantissa, priceScale: price.scale, sizeScale: size.scale))
            index = at + 2 - start
            if next == UInt8(ascii: "]") { break }
            index &+= 1
        }
        self.index = index
    }

    /// Up to 18 digits with or without a point, no sign, no exponent; 21 bytes have to be there.
    @inline(__always)
    private static func plainNumber(_ at: inout UnsafePointer<UInt8>) -> (mantissa: Int64, scale: UInt8)? {
        let start = at
        var next = at
        var mantissa: UInt64 = 0
        while true {
            let digit = next.pointee &- UInt8(ascii: "0")
            guard digit < 10, next - start < 19 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            next += 1
        }
        let whole = next - start
        guard whole == 1 || (whole > 1 && start.pointee != UInt8(ascii: "0")) else { return nil }
        var scale = 0
        var digits = whole
        if next.pointee == UInt8(ascii: ".") {
            next += 1
            // Eight digits after the point are so frequent that they have a way of their own.
            if whole <= 10, next[8] == UInt8(ascii: "\""), let fraction = Self.eightDigits(next) {
                at = next + 8
                return (Int64(truncatingIfNeeded: mantissa &* 100_000_000 &+ fraction), 8)
            }
            let fraction = next
            while true {
                let digit = next.pointee &- UInt8(ascii: "0")
                guard digit < 10, next - start < 20 else { break }
                mantissa = mantissa &* 10 &+ UInt64(digit)
                next += 1
            }
            scale = next - fraction
            guard scale > 0 else { return nil }
            digits &+= scale
        }
        guard digits <= 18 else { return nil }
        at = next
        return (Int64(truncatingIfNeeded: mantissa), UInt8(truncatingIfNeeded: scale))
    }

    /// The number that eight digits make; `nil` when one of the bytes is none.
    @inline(__always)
    private static func eightDigits(_ start: UnsafePointer<UInt8>) -> UInt64? {
        let word = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
        let upper: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
        // The upper half of each byte has to be 3, and stay so when 6 is added.
        guard (word & upper) | (((word &+ 0x0606_0606_0606_0606) & upper) &>> 4) == 0x3333_3333_3333_3333 else {
            return nil
        }
        // Neighbours are joined to pairs, pairs to fours, fours to the whole.
        let digits = word & 0x0F0F_0F0F_0F0F_0F0F
        let pairs = (digits &* 10 &+ (digits &>> 8)) & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 100 &+ (pairs &>> 16)) & 0x0000_FFFF_0000_FFFF
        return (fours &* 10_000 &+ (fours &>> 32)) & 0xFFFF_FFFF
    }
}
