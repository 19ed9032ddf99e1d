import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// The body of a request, piece by piece, decompressed where it came compressed.
struct BodyReader {
    private var iterator: RequestBody.AsyncIterator
    private var inflater: BodyInflater?
    private var input = ByteBuffer()
    private var hasEnded = false

    /// - Throws: 415 for an encoding that is not understood.
    init(_ request: Request) throws(Problem) {
        self.iterator = request.body.makeAsyncIterator()
        let encodings = request.headers[values: .contentEncoding]
            .flatMap { $0.lowercased().split(separator: ",") }
            .map { $0.filter { $0 != " " && $0 != "\t" } }
            .filter { $0 != "identity" && !$0.isEmpty }
        guard let encoding = encodings.first else { return }
        guard encodings.count == 1, let format = BodyInflater.Format(encoding) else {
            var problem = Problem(
                .unsupportedMediaType, code: "unsupported_encoding", field: "Content-Encoding",
                "Content-Encoding must be gzip, deflate or identity, was \(encodings.joined(separator: ", ").prefix(64))"
            )
            // RFC 9110, 15.5.16: what would have been understood.
            problem.headers[.acceptEncoding] = "gzip, deflate, identity"
            throw problem
        }
        self.inflater = BodyInflater(format)
    }

    /// Whether what is read is what was sent.
    var isPlain: Bool { self.inflater == nil }

    /// The next bytes, never none; nil at the end.
    mutating func next() async throws -> ByteBuffer? {
        while true {
            if self.inflater != nil, let piece = try self.inflated() { return piece }
            if self.hasEnded { return nil }
            guard let part = try await self.iterator.next(isolation: #isolation) else {
                self.hasEnded = true
                try self.inflater?.checkEnd()
                continue
            }
            guard part.readableBytes > 0 else { continue }
            if self.inflater == nil { return part }
            self.input = part
        }
    }

    private mutating func inflated() throws(Problem) -> ByteBuffer? {
        guard self.input.readableBytes > 0 || self.inflater?.hasMore == true else { return nil }
        return try self.inflater?.next(from: &self.input)
    }
}
