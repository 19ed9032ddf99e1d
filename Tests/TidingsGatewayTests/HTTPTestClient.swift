import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import Tidings

struct HTTPTestResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: String

    var object: JSONObject {
        get throws { try JSONObject(json: self.body) }
    }
}

/// A plain HTTP/1.1 connection, one request after the other.
final class HTTPTestClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    /// Response parts in the order they came.
    private final class Inbox: Sendable {
        private struct State: ~Copyable {
            var parts: [HTTPClientResponsePart] = []
            var waiter: CheckedContinuation<Void, Never>?
            var isClosed = false
        }

        private let state = Locked(State())

        func append(_ part: HTTPClientResponsePart?) {
            let waiter = self.state.withLock { state in
                if let part { state.parts.append(part) } else { state.isClosed = true }
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }

        func next() async -> HTTPClientResponsePart? {
            while true {
                let (part, isClosed) = self.state.withLock { state in
                    (state.parts.isEmpty ? nil : state.parts.removeFirst(), state.isClosed)
                }
                if let part { return part }
                if isClosed || Task.isCancelled { return nil }
                await withTaskCancellationHandler {
                    await withCheckedContinuation { continuation in
                        let mustWait = self.state.withLock { state in
                            guard state.parts.isEmpty && !state.isClosed else { return false }
                            state.waiter = continuation
                            return true
                        }
                        if !mustWait { continuation.resume() }
                    }
                } onCancel: {
                    let waiter = self.state.withLock { state in
                        defer { state.waiter = nil }
                        return state.waiter
                    }
                    waiter?.resume()
                }
            }
        }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        let inbox: Inbox

        init(_ inbox: Inbox) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.inbox.append(self.unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { self.inbox.append(nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private init(_ channel: any Channel, _ inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    static func connect(port: Int) async throws -> HTTPTestClient {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Collector(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return HTTPTestClient(channel, inbox)
    }

    func close() { self.channel.close(promise: nil) }

    func sendHead(_ method: String, _ path: String, headers: [(String, String)] = []) async throws {
        var fields = HTTPHeaders([("Host", "127.0.0.1:\(self.channel.remoteAddress?.port ?? 0)")])
        for (name, value) in headers where name.lowercased() == "host" { fields.replaceOrAdd(name: name, value: value) }
        fields.add(contentsOf: headers.filter { $0.0.lowercased() != "host" })
        let head = HTTPRequestHead(version: .http1_1, method: .RAW(value: method), uri: path, headers: fields)
        try await self.channel.writeAndFlush(HTTPClientRequestPart.head(head))
    }

    func sendBody(_ bytes: ByteBuffer) async throws {
        try await self.channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(bytes)))
    }

    func sendEnd() async throws {
        try await self.channel.writeAndFlush(HTTPClientRequestPart.end(nil))
    }

    func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String? = nil
    ) async throws -> HTTPTestResponse {
        var headers = headers
        if let body { headers.append(("Content-Length", "\(body.utf8.count)")) }
        // A server that wants no request, or not its body, answers and closes before it has come: the answer is what counts.
        try? await self.sendHead(method, path, headers: headers)
        if let body {
            self.channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
        }
        self.channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return try await self.response()
    }

    func response() async throws -> HTTPTestResponse {
        try await within(.seconds(20), "an HTTP response") {
            var response: HTTPTestResponse?
            while let part = await self.inbox.next() {
                switch part {
                case .head(let head):
                    if head.status.code < 200 { continue }
                    response = HTTPTestResponse(status: Int(head.status.code), headers: head.headers, body: "")
                case .body(let bytes): response?.body += String(buffer: bytes)
                case .end:
                    if let response { return response }
                }
            }
            throw TimedOut(what: "the connection was closed without a whole answer")
        }
    }

    /// Whether the server ends the connection.
    func isClosedByServer() async throws -> Bool {
        try await within(.seconds(10), "the end of the connection") { await self.inbox.next() == nil }
    }

    /// The status of the answer, then its body as it comes.
    func head() async throws -> HTTPResponseHead {
        try await within(.seconds(20), "an HTTP head") {
            guard case .head(let head) = await self.inbox.next() else { throw TimedOut(what: "no head") }
            return head
        }
    }

    func bodyPart(_ limit: Duration = .seconds(20)) async throws -> String? {
        try await within(limit, "a part of a body") {
            guard case .body(let bytes) = await self.inbox.next() else { return nil }
            return String(buffer: bytes)
        }
    }
}
