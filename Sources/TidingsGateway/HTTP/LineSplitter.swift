#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Cuts a stream of bytes into lines, holding at most one unfinished line of a bounded length.
struct LineSplitter {
    enum Line {
        case text(UnsafeRawBufferPointer)
        /// Longer than allowed; what it says is gone.
        case tooLong
    }

    private let limit: Int
    private var unfinished: [UInt8] = []
    private var isTooLong = false
    /// The number of the line that is being read, from 1.
    private(set) var number = 1

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes more bytes; `body` gets every line that they complete, valid during the call only, and its number.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: (Line, Int) -> Void) {
        guard let base = bytes.baseAddress else { return }
        var start = 0
        while let newline = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start) {
            let end = UnsafeRawPointer(newline) - base
            self.complete(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), body)
            start = end + 1
        }
        self.keep(bytes[start...])
    }

    /// The bytes have ended; what is left is the last line.
    mutating func finish(_ body: (Line, Int) -> Void) {
        if self.isTooLong || !self.unfinished.isEmpty {
            self.complete(UnsafeRawBufferPointer(start: nil, count: 0), body)
        }
    }

    private mutating func keep(_ bytes: Slice<UnsafeRawBufferPointer>) {
        if self.isTooLong || bytes.isEmpty { return }
        // One byte more may be a carriage return.
        if self.unfinished.count + bytes.count > self.limit + 1 {
            self.isTooLong = true
            self.unfinished = []
        } else {
            self.unfinished.append(contentsOf: bytes)
        }
    }

    private mutating func complete(_ end: UnsafeRawBufferPointer, _ body: (Line, Int) -> Void) {
        if self.isTooLong || self.unfinished.count + end.count > self.limit + 1 {
            body(.tooLong, self.number)
        } else if self.unfinished.isEmpty {
            Self.emit(end, self.number, body)
        } else {
            self.unfinished.append(contentsOf: end)
            self.unfinished.withUnsafeBytes { Self.emit($0, self.number, body) }
        }
        self.unfinished.removeAll(keepingCapacity: true)
        self.isTooLong = false
        self.number += 1
    }

    private static func emit(_ text: UnsafeRawBufferPointer, _ number: Int, _ body: (Line, Int) -> Void) {
        let line = text.last == 0x0D ? UnsafeRawBufferPointer(rebasing: text.dropLast()) : text
        let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        if !isBlank { body(.text(line), number) }
    }
}
