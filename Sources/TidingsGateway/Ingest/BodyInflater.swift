internal import CZlib
import HTTPTypes
import NIOCore
import Tidings

/// Decompresses a request's body (RFC 9110, 8.4.1) a bounded piece at a time.
///
/// A body that grows beyond all reason is refused: past the first 64 MiB it may be at most 100 times what came.
struct BodyInflater {
    enum Format {
        case gzip
        /// zlib's format by the book; some send the bare deflate stream within, which is told from its first byte.
        case deflate

        init?(_ name: String) {
            switch name {
            case "gzip", "x-gzip": self = .gzip
            case "deflate": self = .deflate
            default: return nil
            }
        }
    }

    private static let pieceBytes = 64 << 10
    private static let freeBytes = 64 << 20
    private static let mostGrowth = 100

    /// zlib's state, which has to stay where it is and to be given back.
    private final class Stream {
        let pointer: UnsafeMutablePointer<z_stream>
        var isReady = false

        init() {
            self.pointer = .allocate(capacity: 1)
            self.pointer.initialize(to: z_stream())
        }

        deinit {
            if self.isReady { inflateEnd(self.pointer) }
            self.pointer.deallocate()
        }
    }

    private let format: Format
    private let stream = Stream()
    private var taken = 0
    private var given = 0
    /// Whether zlib may have output left although it has read all input.
    private(set) var hasMore = false
    private var isBetweenMembers = false

    init(_ format: Format) {
        self.format = format
    }

    /// The next piece, reading what it needs of the input; nil when all of that is read and more is needed.
    mutating func next(from input: inout ByteBuffer) throws(Problem) -> ByteBuffer? {
        while input.readableBytes > 0 || self.hasMore {
            if !self.stream.isReady { try self.begin(input) }
            if self.isBetweenMembers { try self.beginMember() }
            var output = ByteBufferAllocator().buffer(capacity: Self.pieceBytes)
            let status = self.inflate(&input, &output)
            self.given += output.readableBytes
            switch status {
            case Z_OK: break
            // Nothing to do without more input.
            case Z_BUF_ERROR: self.hasMore = false
            case Z_STREAM_END:
                self.hasMore = false
                self.isBetweenMembers = true
            default: throw Self.corrupt
            }
            if self.given > Self.freeBytes, self.given / Self.mostGrowth > self.taken { throw Self.bomb }
            if output.readableBytes > 0 { return output }
        }
        return nil
    }

    /// The body has ended; so should what is compressed in it.
    func checkEnd() throws(Problem) {
        guard self.stream.isReady && !self.isBetweenMembers else { return }
        throw Problem(
            .badRequest, code: "invalid_encoding", field: "Content-Encoding", "The compressed body ends too early")
    }

    private func begin(_ input: ByteBuffer) throws(Problem) {
        // 15: the largest window; 16 more: gzip. Negative: no header at all.
        let isBare = input.getInteger(at: input.readerIndex, as: UInt8.self).map { $0 & 0x0F != 8 || $0 >> 4 > 7 }
        let windowBits: Int32 =
            switch self.format {
            case .gzip: 31
            case .deflate: isBare == true ? -15 : 15
            }
        guard tidings_inflate_init(self.stream.pointer, windowBits) == Z_OK else {
            throw Problem.unavailable(code: "no_memory", "There is no memory to decompress the body")
        }
        self.stream.isReady = true
    }

    /// Members of gzip may follow one another (RFC 1952, 2.2).
    private mutating func beginMember() throws(Problem) {
        guard self.format == .gzip, inflateReset(self.stream.pointer) == Z_OK else { throw Self.corrupt }
        self.isBetweenMembers = false
    }

    private mutating func inflate(_ input: inout ByteBuffer, _ output: inout ByteBuffer) -> Int32 {
        let stream = self.stream.pointer
        var status: Int32 = Z_OK
        let read = input.readWithUnsafeMutableReadableBytes { source in
            stream.pointee.next_in = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(min(source.count, 1 << 30))
            let offered = Int(stream.pointee.avail_in)
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { target in
                let room = min(target.count, Self.pieceBytes)
                stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(room)
                status = CZlib.inflate(stream, Z_NO_FLUSH)
                return room - Int(stream.pointee.avail_out)
            }
            return offered - Int(stream.pointee.avail_in)
        }
        self.taken += read
        self.hasMore = stream.pointee.avail_out == 0
        return status
    }

    private static var corrupt: Problem {
        Problem(
            .badRequest, code: "invalid_encoding", field: "Content-Encoding",
            "The body is not compressed as Content-Encoding says")
    }

    private static var bomb: Problem {
        var problem = Problem(
            .contentTooLarge, code: "body_too_large", field: "Content-Encoding",
            "The body grows more than \(Self.mostGrowth) times when it is decompressed")
        problem.headers[.connection] = "close"
        return problem
    }
}
