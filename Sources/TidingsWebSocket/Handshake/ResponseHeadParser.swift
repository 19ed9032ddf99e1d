/// Reads the head of an HTTP/1.1 response, as a WebSocket server or a CONNECT proxy answers with.
///
/// It holds at most `limit` bytes, and takes no more of a read than the head: what follows a 101 are frames already.
struct ResponseHeadParser {
    struct Head: Equatable {
        var status: Int
        var headers: [WebSocketHeader]
    }

    enum Outcome: Equatable {
        case needsMore
        /// The head, and how many of the given bytes belong to it.
        case head(Head, consumed: Int)
        case invalid(String)
    }

    private let limit: Int
    private let maximumHeaders: Int
    private var bytes: [UInt8] = []

    init(limit: Int = 32 << 10, maximumHeaders: Int = 128) {
        self.limit = limit
        self.maximumHeaders = maximumHeaders
    }

    /// Not to be called again after a head or a failure.
    mutating func append(_ input: UnsafeRawBufferPointer) -> Outcome {
        for (index, byte) in input.enumerated() {
            self.bytes.append(byte)
            if byte == UInt8(ascii: "\n"), self.isAtEnd {
                switch self.parse() {
                case .success(let head): return .head(head, consumed: index + 1)
                case .failure(let problem): return .invalid(problem.message)
                }
            }
            if self.bytes.count >= self.limit {
                return .invalid("The response head is longer than \(self.limit) bytes")
            }
            if self.bytes.count <= 5, !"HTTP/".utf8.starts(with: self.bytes) { return .invalid("This is not HTTP") }
        }
        return .needsMore
    }

    private var isAtEnd: Bool { self.bytes.suffix(4) == [13, 10, 13, 10] || self.bytes.suffix(2) == [10, 10] }

    private struct Problem: Error { var message: String }

    private func parse() -> Result<Head, Problem> {
        let lines = self.bytes.split(separator: UInt8(ascii: "\n")).map { line in
            line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        }
        guard let first = lines.first, first.count >= 12, first.starts(with: "HTTP/1.".utf8) else {
            return .failure(Problem(message: "The status line is not HTTP/1"))
        }
        let digits = first.dropFirst(9).prefix(3)
        let separators = [first[first.startIndex + 8], first.count > 12 ? first[first.startIndex + 12] : 0x20]
        guard separators == [0x20, 0x20], digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let status = Int(String(decoding: digits, as: UTF8.self)), (100...999).contains(status)
        else { return .failure(Problem(message: "The status line has no status")) }
        var headers: [WebSocketHeader] = []
        for line in lines.dropFirst() where !line.isEmpty {
            guard headers.count < self.maximumHeaders else { return .failure(Problem(message: "Too many headers")) }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy(HTTPToken.isCharacter), line[colon...].allSatisfy({ $0 >= 0x20 || $0 == 9 })
            else { return .failure(Problem(message: "A header line is not one")) }
            let value = String(decoding: line[line.index(after: colon)...], as: UTF8.self)
            headers.append(
                WebSocketHeader(String(decoding: line[..<colon], as: UTF8.self), String(value.trimmingHTTPSpace())))
        }
        return .success(Head(status: status, headers: headers))
    }
}

/// The characters of HTTP names, so that nothing we send can smuggle in a line of its own.
enum HTTPToken {
    static func isCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    static func isName(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(self.isCharacter) }

    static func isValue(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } }
}
