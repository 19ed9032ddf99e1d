import Foundation
import NIOPosix

/// Reads lines from standard input as they come, without holding more than one piece and one line.
struct LineReader {
    private let limit: Int
    private var rest: [UInt8] = []
    private var hasEnded = false

    /// - Parameter limit: the most bytes of one line that are kept; what is beyond makes the line unreadable, not the
    ///   memory full.
    init(limit: Int) {
        self.limit = limit
    }

    /// The whole lines that have come since, at least one; `nil` at the end.
    mutating func next() async throws -> [[UInt8]]? {
        while !self.hasEnded {
            let piece = try await NIOThreadPool.singleton.runIfActive { try Self.read() }
            if piece.isEmpty {
                self.hasEnded = true
                return self.rest.isEmpty ? nil : [self.rest]
            }
            var lines: [[UInt8]] = []
            var start = piece.startIndex
            while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
                self.extend(piece[start..<end])
                lines.append(self.rest)
                self.rest = []
                start = end + 1
            }
            self.extend(piece[start...])
            if !lines.isEmpty { return lines }
        }
        return nil
    }

    /// Whether something can be read without waiting, the end included.
    var hasMore: Bool {
        if self.hasEnded { return false }
        var polled = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    private mutating func extend(_ piece: ArraySlice<UInt8>) {
        self.rest.append(contentsOf: piece.prefix(max(self.limit + 1 - self.rest.count, 0)))
    }

    /// One piece of standard input; empty at the end.
    private static func read() throws -> [UInt8] {
        var failure: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: 262_144) { buffer, count in
            var result = Foundation.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
            while result < 0 && errno == EINTR {
                result = Foundation.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
            }
            if result < 0 { failure = errno }
            count = max(result, 0)
        }
        if failure != 0 { throw CommandError("standard input: \(String(cString: strerror(failure)))") }
        return piece
    }
}
