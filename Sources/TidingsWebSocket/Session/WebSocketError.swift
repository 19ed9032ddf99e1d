/// What went wrong with a WebSocket: a code to decide by, a message for people.
public struct WebSocketError: Error, Sendable, CustomStringConvertible {
    /// Open for more: compare with `==`, do not switch exhaustively.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        private init(_ description: String) { self.description = description }

        /// The address is not a usable ws, wss, http or https URL.
        public static let invalidURL = Self("invalidURL")
        /// A header, method or option that cannot be sent or used.
        public static let invalidConfiguration = Self("invalidConfiguration")
        /// The TCP connection could not be made.
        public static let connectFailed = Self("connectFailed")
        /// The TLS handshake failed or the certificate was not accepted.
        public static let tlsFailed = Self("tlsFailed")
        /// The proxy refused or spoke nonsense; `status` has its answer.
        public static let proxyFailed = Self("proxyFailed")
        /// TCP, TLS or HTTP handshake took too long.
        public static let timeout = Self("timeout")
        /// The server answered with another status than 101: see `status` and `headers`.
        public static let rejected = Self("rejected")
        /// The server's answer to the upgrade breaks RFC 6455 or 7692.
        public static let invalidHandshake = Self("invalidHandshake")
        /// The connection is closed or closing.
        public static let closed = Self("closed")
        /// More bytes wait to be written than the limit allows; nothing of this message was taken.
        public static let tooManyPendingBytes = Self("tooManyPendingBytes")
        /// The peer broke the protocol; the close code says how.
        public static let protocolViolation = Self("protocolViolation")
        /// The peer did not answer a ping.
        public static let noPong = Self("noPong")
        /// The socket failed.
        public static let transport = Self("transport")
        /// The address could not be listened on.
        public static let bindFailed = Self("bindFailed")
        /// The task was cancelled.
        public static let cancelled = Self("cancelled")
    }

    public var code: Code
    public var message: String
    /// The HTTP status of a refused handshake.
    public var status: Int?
    /// The HTTP headers of a refused handshake, in order.
    public var headers: [WebSocketHeader]
    public var underlying: (any Error)?

    public init(
        _ code: Code, _ message: String, status: Int? = nil, headers: [WebSocketHeader] = [],
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers
        self.underlying = underlying
    }

    /// The seconds named by `Retry-After`, when it is a number.
    public var retryAfterSeconds: Int? {
        self.headers.first("retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    public var description: String {
        let cause = self.underlying.map { ": \($0)" } ?? ""
        return "\(self.code): \(self.message)\(cause)"
    }
}

/// One HTTP header line of a handshake.
public struct WebSocketHeader: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension Array where Element == WebSocketHeader {
    /// The first value of a header, its name compared without case.
    public func first(_ name: String) -> String? {
        self.first { $0.name.equalsIgnoringASCIICase(name) }?.value
    }

    /// All values of a list header, split at commas and trimmed.
    func list(_ name: String) -> [String] {
        self.lazy.filter { $0.name.equalsIgnoringASCIICase(name) }
            .flatMap { $0.value.split(separator: ",") }
            .map { String($0.trimmingHTTPSpace()) }
            .filter { !$0.isEmpty }
    }
}

extension StringProtocol {
    func equalsIgnoringASCIICase(_ other: some StringProtocol) -> Bool {
        self.utf8.elementsEqual(other.utf8) {
            $0 == $1 || ($0 | 0x20 == $1 | 0x20 && (0x61...0x7A).contains($0 | 0x20))
        }
    }

    func trimmingHTTPSpace() -> Substring {
        var view = Substring(self)
        while let first = view.utf8.first, first == 0x20 || first == 0x09 { view = view.dropFirst() }
        while let last = view.utf8.last, last == 0x20 || last == 0x09 { view = view.dropLast() }
        return view
    }
}
