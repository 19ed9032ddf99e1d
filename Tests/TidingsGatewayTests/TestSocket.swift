import DequeModule
import NIOCore
import Testing
import Tidings
import TidingsWebSocket

/// A WebSocket client that keeps what it gets.
final class TestSocket: Sendable {
    private struct State: ~Copyable {
        var messages = Deque<JSONObject>()
        var waiter: CheckedContinuation<JSONObject?, Never>?
        var isClosed = false
    }

    private let state = Locked(State())
    private let connectionSignal = Signal<WebSocketConnection>()

    static func connect(
        _ url: String, headers: [WebSocketHeader] = [], subprotocols: [String] = [],
        deflate: WebSocketDeflateOptions? = nil
    ) async throws -> TestSocket {
        let socket = TestSocket()
        var configuration = WebSocketClientConfiguration()
        configuration.deflate = deflate
        configuration.headers = []
        configuration.options.pingInterval = nil
        let client = WebSocketClient(configuration: configuration)
        let connection = try await client.connect(to: url, headers: headers, subprotocols: subprotocols) { connection in
            WebSocketCallbacks(
                onText: { _, bytes in socket.receive(bytes) },
                onClose: { _, _ in socket.end() })
        }
        socket.connectionSignal.send(connection)
        return socket
    }

    func connection() async throws -> WebSocketConnection { try await self.connectionSignal.value() }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        guard let message = try? JSONObject(json: bytes) else {
            Issue.record("not a JSON object: \(String(decoding: bytes, as: UTF8.self))")
            return
        }
        let waiter = self.state.withLock { state -> CheckedContinuation<JSONObject?, Never>? in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            state.messages.append(message)
            return nil
        }
        waiter?.resume(returning: message)
    }

    private func end() {
        let waiter = self.state.withLock { state -> CheckedContinuation<JSONObject?, Never>? in
            state.isClosed = true
            let waiter = state.waiter
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: nil)
    }

    func send(_ text: String) async throws {
        let connection = try await self.connection()
        try connection.send(text: text)
    }

    /// The next message; nil once the socket is closed.
    func next(_ limit: Duration = .seconds(20)) async throws -> JSONObject? {
        try await within(limit, "a WebSocket message") { await self.wait() }
    }

    private func wait() async -> JSONObject? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = self.state.withLock { state -> JSONObject?? in
                    if let message = state.messages.popFirst() { return message }
                    if state.isClosed || Task.isCancelled { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: nil)
        }
    }

    /// Sends a request and returns the next message.
    func ask(_ text: String) async throws -> String {
        try await self.send(text)
        let answer = try await self.next()
        return try #require(answer).description
    }

    /// The offsets of the next `count` events; anything else among them is an issue.
    func offsets(_ count: Int, _ limit: Duration = .seconds(20)) async throws -> [Int64] {
        try await within(limit, "\(count) events") {
            var offsets: [Int64] = []
            while offsets.count < count {
                let next = await self.wait()
                let message = try #require(next, "closed after \(offsets.count) events")
                guard message["type"]?.string == "event", let offset = message["offset"]?.int else {
                    Issue.record("no event: \(message)")
                    return offsets
                }
                offsets.append(Int64(offset))
            }
            return offsets
        }
    }

    func close() async throws {
        let connection = try await self.connection()
        connection.close()
    }

    func closure() async throws -> WebSocketClosure {
        let connection = try await self.connection()
        return try await within(.seconds(20), "the end of a WebSocket") { await connection.waitUntilClosed() }
    }
}
