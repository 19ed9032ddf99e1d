import NIOCore
import NIOPosix
import Tidings
import TidingsWebSocket

/// A WebSocket client that keeps what it gets, and waits for it.
final class TestClient: Sendable {
    struct TimedOut: Error {
        let received: [String]
    }

    private struct State {
        var frames: [String] = []
        var isClosed = false
        var waiting: (condition: @Sendable ([String], Bool) -> Bool, promise: EventLoopPromise<Void>)?
    }

    let connection: WebSocketConnection
    private let state: Locked<State>

    private init(connection: WebSocketConnection, state: Locked<State>) {
        self.connection = connection
        self.state = state
    }

    static func connect(port: Int, path: String = "/ws") async throws -> TestClient {
        let state = Locked(State())
        var configuration = WebSocketClientConfiguration()
        configuration.options.pingInterval = nil
        let connection = try await WebSocketClient(configuration: configuration).connect(
            to: "ws://127.0.0.1:\(port)\(path)"
        ) { _ in
            WebSocketCallbacks(
                onText: { _, bytes in
                    let text = String(decoding: bytes, as: UTF8.self)
                    Self.change(state) { $0.frames.append(text) }
                },
                onClose: { _, _ in Self.change(state) { $0.isClosed = true } })
        }
        return TestClient(connection: connection, state: state)
    }

    private static func change(_ state: Locked<State>, _ body: (inout State) -> Void) {
        let promise = state.withLock { state -> EventLoopPromise<Void>? in
            body(&state)
            guard let waiting = state.waiting, waiting.condition(state.frames, state.isClosed) else { return nil }
            state.waiting = nil
            return waiting.promise
        }
        promise?.succeed()
    }

    func send(_ text: String) throws {
        try self.connection.send(text: text)
    }

    func subscribe(_ types: String..., coin: String = "BTC") throws {
        for type in types {
            try self.send(#"{"method":"subscribe","subscription":{"type":"\#(type)","coin":"\#(coin)"}}"#)
        }
    }

    /// What has come so far.
    var frames: [String] { self.state.withLock { $0.frames } }

    /// Waits until what has come fulfils a condition, for at most `timeout`.
    @discardableResult
    func wait(
        timeout: TimeAmount = .seconds(20), until condition: @escaping @Sendable ([String]) -> Bool
    ) async throws -> [String] {
        try await self.wait(timeout) { frames, _ in condition(frames) }
    }

    /// Waits for so many frames.
    @discardableResult
    func wait(for count: Int) async throws -> [String] {
        try await self.wait { $0.count >= count }
    }

    func waitUntilClosed() async throws {
        try await self.wait(.seconds(20)) { _, isClosed in isClosed }
    }

    @discardableResult
    private func wait(
        _ timeout: TimeAmount, _ condition: @escaping @Sendable ([String], Bool) -> Bool
    ) async throws -> [String] {
        let promise = self.connection.eventLoop.makePromise(of: Void.self)
        let isDone = self.state.withLock { state in
            if condition(state.frames, state.isClosed) { return true }
            state.waiting = (condition, promise)
            return false
        }
        if isDone { promise.succeed() }
        let timer = self.connection.eventLoop.scheduleTask(in: timeout) {
            let waiting = self.state.withLock { state in state.waiting.take() }
            waiting?.promise.fail(TimedOut(received: self.frames))
        }
        defer { timer.cancel() }
        try await promise.futureResult.get()
        return self.frames
    }
}

/// One HTTP request on a connection of its own.
enum TestHTTP {
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var bytes = ByteBuffer()
        let promise: EventLoopPromise<String>

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = self.unwrapInboundIn(data)
            self.bytes.writeBuffer(&part)
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.promise.succeed(String(buffer: self.bytes))
        }
    }

    /// - Returns: status and body.
    static func post(_ body: String, path: String = "/info", port: Int) async throws -> (status: Int, body: String) {
        let response = try await self.send("POST", body, path: path, port: port)
        return (response.status, response.body)
    }

    /// - Returns: status, head and body.
    static func get(_ path: String, port: Int) async throws -> (status: Int, head: String, body: String) {
        try await self.send("GET", "", path: path, port: port)
    }

    private static func send(
        _ method: String, _ body: String, path: String, port: Int
    ) async throws -> (status: Int, head: String, body: String) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: String.self)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(promise))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        try await channel.writeAndFlush(ByteBuffer(string: head + body))
        let timer = loop.scheduleTask(in: .seconds(20)) { channel.close(promise: nil) }
        defer { timer.cancel() }
        let response = try await promise.futureResult.get()
        let status = response.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let end = response.firstRange(of: "\r\n\r\n")?.upperBound ?? response.endIndex
        return (status, String(response[..<end]), String(response[end...]))
    }
}
