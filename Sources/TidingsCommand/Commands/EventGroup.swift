import NIOCore
import Tidings

/// Events that travel in one request, one a line.
///
/// Each line is read here first: one that is no event is told of at once and does not travel, and one that names no id
/// gets it here, so that a request that has to be repeated publishes nothing twice.
struct EventGroup: Sendable {
    /// The lines of the input, as people count them.
    private(set) var lineNumbers: [Int] = []
    private(set) var body = ByteBuffer()
    /// Where each line ends in the body.
    private var ends: [Int] = []
    /// What was no event.
    private(set) var refused: [(line: Int, problem: String)] = []

    /// Empty lines count as lines and are passed over.
    init(_ lines: [[UInt8]], firstLine: Int, defaultSource: String) {
        let defaults = EventDecodingDefaults(source: Name(defaultSource))
        var writer = JSONWriter(capacity: 1 << 16)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 <= 0x20 }) {
            do throws(EventDecodingError) {
                writer.write(try Self.event(line, defaults: defaults))
                writer.write(byte: UInt8(ascii: "\n"))
                self.lineNumbers.append(firstLine + index)
                self.ends.append(writer.count)
            } catch {
                self.refused.append((firstLine + index, "\(error)"))
            }
        }
        self.body = writer.withBytes { ByteBuffer(bytes: $0) }
    }

    private static func event(
        _ line: [UInt8], defaults: EventDecodingDefaults
    ) throws(EventDecodingError) -> StandardEvent {
        let outcome: Result<StandardEvent, EventDecodingError> = line.withUnsafeBytes { bytes in
            do throws(EventDecodingError) {
                return .success(try StandardEvent(json: bytes, defaults: defaults))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    var isEmpty: Bool { self.lineNumbers.isEmpty }

    /// Takes out the first lines, which have been dealt with.
    mutating func removeFirst(_ count: Int) {
        let count = min(max(count, 0), self.lineNumbers.count)
        guard count > 0 else { return }
        let start = self.ends[count - 1]
        self.body.moveReaderIndex(forwardBy: min(start, self.body.readableBytes))
        self.lineNumbers.removeFirst(count)
        self.ends = self.ends.dropFirst(count).map { $0 - start }
    }
}

/// The lines of standard input in groups: long ones when they are there, short ones when they trickle in.
actor EventLines {
    private static let linesPerGroup = 2000
    private static let bytesPerGroup = 1 << 20
    /// A line longer than what the server takes anyway; the rest of it is passed over.
    private static let longestLine = 8 << 20

    private let defaultSource: String
    private var reader = LineReader(limit: EventLines.longestLine)
    private var waiting: ArraySlice<[UInt8]> = []
    private var lineNumber = 1

    init(defaultSource: String) {
        self.defaultSource = defaultSource
    }

    /// The next group; nil at the end.
    func next() async throws -> EventGroup? {
        var lines: [[UInt8]] = []
        var bytes = 0
        while true {
            while let line = self.waiting.first, lines.count < Self.linesPerGroup,
                lines.isEmpty || bytes + line.count <= Self.bytesPerGroup
            {
                lines.append(line)
                bytes += line.count
                self.waiting.removeFirst()
            }
            guard self.waiting.isEmpty, lines.isEmpty || self.reader.hasMore else { break }
            // Nobody asks for a second group while one is being read.
            var reader = self.reader
            let more = try await reader.next()
            self.reader = reader
            guard let more else { break }
            self.waiting = more[...]
        }
        guard !lines.isEmpty else { return nil }
        defer { self.lineNumber += lines.count }
        return EventGroup(lines, firstLine: self.lineNumber, defaultSource: self.defaultSource)
    }
}
