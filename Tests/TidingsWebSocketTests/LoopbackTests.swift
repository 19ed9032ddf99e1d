import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import TidingsWebSocket

/// Messages received, to be waited for.
final class Inbox: Sendable {
    private let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (self.stream, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000)) }

    func next() async -> String? {
        var iterator = self.stream.makeAsyncIterator()
        return await iterator.next()
    }

    func next(_ count: Int) async -> [String] {
        var all: [String] = []
        while all.count < count, let text = await self.next() { all.append(text) }
        return all
    }

    var delegate: WebSocketDelegateFactory {
        { _ in
            WebSocketCallbacks(
                onText: { _, bytes in self.continuation.yield(String(decoding: bytes, as: UTF8.self)) },
                onClose: { _, _ in self.continuation.finish() })
        }
    }
}

let echo: WebSocketDelegateFactory = { _ in
    WebSocketCallbacks(
        onText: { connection, bytes in try? connection.send(text: bytes) },
        onBinary: { connection, bytes in try? connection.send(binary: ByteBuffer(bytes: bytes)) })
}

func withListener(
    _ configuration: WebSocketListenerConfiguration = .init(),
    onUpgrade: @escaping WebSocketListener.UpgradeHandler = { _ in .accept(delegate: echo) },
    onRequest: @escaping WebSocketListener.RequestHandler = { _ in .init(status: 404) },
    _ body: (WebSocketListener) async throws -> Void
) async throws {
    let listener = try await WebSocketListener.bind(
        configuration: configuration, onUpgrade: onUpgrade, onRequest: onRequest)
    do {
        try await body(listener)
    } catch {
        listener.abort()
        throw error
    }
    await listener.close()
    #expect(listener.connectionCount == 0)
}

func failure(_ body: () async throws(WebSocketError) -> WebSocketConnection) async -> WebSocketError? {
    do throws(WebSocketError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

@Suite(.timeLimit(.minutes(1))) struct LoopbackTests {
    @Test(arguments: [false, true]) func `client and listener talk`(_ deflate: Bool) async throws {
        var server = WebSocketListenerConfiguration()
        server.deflate = deflate ? .init() : nil
        try await withListener(server) { listener in
            var configuration = WebSocketClientConfiguration()
            configuration.deflate = deflate ? .init() : nil
            let client = WebSocketClient(configuration: configuration)
            let inbox = Inbox()
            let connection = try await client.connect(
                to: "ws://127.0.0.1:\(listener.port)/path?q=1", delegate: inbox.delegate)
            #expect((connection.handshake.deflate != nil) == deflate)
            let texts = ["hello", "", "日本語", String(repeating: "long and dull ", count: 20_000)]
            for text in texts { try connection.send(text: text) }
            #expect(await inbox.next(texts.count) == texts)
            connection.close(.normal, reason: "done")
            let closure = await connection.waitUntilClosed()
            #expect(closure.code == .normal)
            #expect(closure.initiator == .local)
            #expect(closure.isClean)
            #expect(await inbox.next() == nil)
        }
    }

    @Test func `subprotocol, path and headers are seen at both ends`() async throws {
        let seen = NIOLockedValueBox<[String]>([])
        try await withListener(onUpgrade: { request in
            seen.withLockedValue {
                $0 = [request.uri, request.headers.first("x-key") ?? "", request.headers.first("user-agent") ?? ""]
            }
            let chosen = WebSocketHandshake.selectSubprotocol(request.headers, from: ["v2"])
            return .accept(subprotocol: chosen, headers: [.init("X-Node", "7")], delegate: echo)
        }) { listener in
            let connection = try await WebSocketClient().connect(
                to: "ws://127.0.0.1:\(listener.port)/a?b=c", headers: [.init("X-Key", "k")],
                subprotocols: ["v1", "v2"],
                delegate: echo)
            #expect(connection.handshake.subprotocol == "v2")
            #expect(connection.handshake.headers.first("x-node") == "7")
            #expect(seen.withLockedValue { $0 } == ["/a?b=c", "k", "tidings"])
        }
    }

    @Test func `a refusal brings status and Retry-After`() async throws {
        try await withListener(onUpgrade: { _ in
            .refuse(.init(status: 429, message: "slow", headers: [.init("Retry-After", "7")]))
        }) { listener in
            let error = await failure { () async throws(WebSocketError) in
                try await WebSocketClient().connect(to: "ws://127.0.0.1:\(listener.port)/", delegate: echo)
            }
            #expect(error?.code == .rejected)
            #expect(error?.status == 429)
            #expect(error?.retryAfterSeconds == 7)
        }
    }

    @Test func `a frame in the same segment as the 101 is not lost`() async throws {
        try await withRawServer({ request in
            let key =
                request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst(19) ?? ""
            return Array(
                """
                HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Accept: \(WebSocketHandshake.acceptKey(for: String(key)))\r\n\r\n
                """.utf8) + frame(.text, "at once", to: .client) + frame(.text, "and again", to: .client)
        }) { port in
            let inbox = Inbox()
            let connection = try await WebSocketClient().connect(
                to: "ws://127.0.0.1:\(port)/", delegate: inbox.delegate)
            #expect(await inbox.next(2) == ["at once", "and again"])
            connection.abort()
            #expect(await connection.waitUntilClosed().code == .abnormal)
        }
    }

    @Test(arguments: [
        (
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n",
            "invalidHandshake"
        ),
        ("HTTP/1.1 418 Teapot\r\n\r\n", "rejected"), ("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "rejected"),
        ("SSH-2.0-OpenSSH\r\n", "invalidHandshake"),
    ])
    func `a wrong answer is an error`(_ answer: String, _ code: String) async throws {
        try await withRawServer({ _ in Array(answer.utf8) }) { port in
            let error = await failure { () async throws(WebSocketError) in
                try await WebSocketClient().connect(to: "ws://127.0.0.1:\(port)/", delegate: echo)
            }
            #expect(error?.code.description == code)
        }
    }

    @Test func `a server that says nothing is given up on`() async throws {
        try await withRawServer({ _ in [] }) { port in
            var configuration = WebSocketClientConfiguration()
            configuration.handshakeTimeout = .milliseconds(50)
            let client = WebSocketClient(configuration: configuration)
            let error = await failure { () async throws(WebSocketError) in
                try await client.connect(to: "ws://127.0.0.1:\(port)/", delegate: echo)
            }
            #expect(error?.code == .timeout)
        }
    }

    @Test func `connecting can be cancelled`() async throws {
        let received = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withRawServer({ _ in
            received.continuation.yield()
            return []
        }) { port in
            let error = await withTaskGroup(of: WebSocketError?.self) { group in
                group.addTask {
                    await failure { () async throws(WebSocketError) in
                        try await WebSocketClient().connect(to: "ws://127.0.0.1:\(port)/", delegate: echo)
                    }
                }
                var iterator = received.stream.makeAsyncIterator()
                await iterator.next()
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func `nobody listening is an error, as is a bad address`() async throws {
        let listener = try await WebSocketListener.bind(onUpgrade: { _ in .accept(delegate: echo) })
        let port = listener.port
        await listener.close()
        for (url, code) in [("ws://127.0.0.1:\(port)/", WebSocketError.Code.connectFailed), ("nonsense", .invalidURL)] {
            let error = await failure { () async throws(WebSocketError) in
                try await WebSocketClient().connect(to: url, delegate: echo)
            }
            #expect(error?.code == code)
        }
    }

    @Test func `a graceful close tells every client 1001, an abort nothing`() async throws {
        for isGraceful in [true, false] {
            let listener = try await WebSocketListener.bind(onUpgrade: { _ in .accept(delegate: echo) })
            var connections: [WebSocketConnection] = []
            for _ in 0..<5 {
                connections.append(
                    try await WebSocketClient().connect(to: "ws://127.0.0.1:\(listener.port)/", delegate: echo))
            }
            #expect(listener.webSockets.count == 5)
            if isGraceful { await listener.close() } else { listener.abort() }
            for connection in connections {
                let closure = await connection.waitUntilClosed()
                #expect(closure.code == (isGraceful ? .goingAway : .abnormal))
                #expect(closure.initiator == (isGraceful ? .remote : .transport))
            }
        }
    }

    @Test func `thousands of messages arrive in order through back pressure`() async throws {
        let count = 5_000
        try await withListener { listener in
            let numbers = NIOLockedValueBox<[Int]>([])
            let done = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let connection = try await WebSocketClient().connect(to: "ws://127.0.0.1:\(listener.port)/") { _ in
                WebSocketCallbacks(
                    onText: { connection, bytes in
                        let number = Int(String(decoding: bytes, as: UTF8.self)) ?? -1
                        if numbers.withLockedValue({
                            $0.append(number); return $0.count
                        }) == count {
                            done.continuation.yield()
                        }
                        if number % 97 == 0 {
                            connection.pauseReading()
                            connection.eventLoop.execute { connection.resumeReading() }
                        }
                    })
            }
            for number in 0..<count { try connection.send(text: "\(number)") }
            var iterator = done.stream.makeAsyncIterator()
            await iterator.next()
            #expect(numbers.withLockedValue { $0 } == Array(0..<count))
        }
    }
}

/// A TCP server that answers the first request head of each connection with some bytes, and then is silent.
func withRawServer(
    _ answer: @escaping @Sendable (String) -> [UInt8], _ body: (Int) async throws -> Void
) async throws {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(RawServerHandler(answer: answer))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    do { try await body(channel.localAddress?.port ?? 0) } catch {
        try await channel.close()
        throw error
    }
    try await channel.close()
}

private final class RawServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: (String) -> [UInt8]
    private var request = ""

    init(answer: @escaping (String) -> [UInt8]) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.request += String(buffer: self.unwrapInboundIn(data))
        guard self.request.hasSuffix("\r\n\r\n") else { return }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: self.answer(self.request))), promise: nil)
        self.request = ""
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
