import NIOCore
import Tidings
import TidingsTestSupport
import TidingsWebSocket
import TidingsWebhooks

/// Somebody who takes webhooks, on a free port of this machine.
final class Receiver: Sendable {
    typealias Request = WebSocketListener.Request
    typealias Response = WebSocketListener.Response

    private let listener: WebSocketListener
    /// What came, in order.
    let requests: Collector<Request>

    private init(_ listener: WebSocketListener, _ requests: Collector<Request>) {
        self.listener = listener
        self.requests = requests
    }

    var port: Int { self.listener.port }
    var url: String { "http://127.0.0.1:\(self.port)/hooks/kept-to-ourselves" }

    /// Runs `body` with a receiver that answers each request, numbered from 0, by `answer`.
    static func with<Result>(
        answer: @escaping @Sendable (_ number: Int, Request) async -> Response = { _, _ in Response(status: 204) },
        _ body: (Receiver) async throws -> Result
    ) async throws -> Result {
        let requests = Collector<Request>()
        let count = Locked(0)
        var configuration = WebSocketListenerConfiguration()
        configuration.closeTimeout = .milliseconds(100)
        let listener = try await WebSocketListener.bind(
            configuration: configuration,
            onUpgrade: { _ in .refuse(WebSocketHandshake.Refusal(status: 404, message: "no WebSocket here")) },
            onRequest: { request in
                let number = count.withLock { count in
                    defer { count += 1 }
                    return count
                }
                requests.add(request)
                return await answer(number, request)
            })
        do {
            let result = try await body(Receiver(listener, requests))
            await listener.close()
            return result
        } catch {
            await listener.close()
            throw error
        }
    }

    /// A port on which nobody listens, as far as that can be known.
    static func closedPort() async throws -> Int {
        try await Self.with { receiver in receiver.port }
    }
}

extension WebSocketListener.Request {
    func header(_ name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name }?.value
    }

    var text: String { String(buffer: self.body) }
}

/// Runs `body` with a webhook that is shut down afterwards.
func withWebhook<Result>(
    _ configuration: WebhookConfiguration, _ body: (Webhook) async throws -> Result
) async throws -> Result {
    let webhook = try Webhook(configuration)
    do {
        let result = try await body(webhook)
        await webhook.shutdown()
        return result
    } catch {
        await webhook.shutdown()
        throw error
    }
}

/// What an operation throws.
func failure(of operation: () async throws -> Void) async -> (any Error)? {
    do {
        try await operation()
        return nil
    } catch {
        return error
    }
}

extension StandardEvent {
    static func alert(
        _ number: Int = 0, symbol: String = "BTC-USD", type: EventType = .priceAlert
    ) -> StandardEvent {
        StandardEvent(
            eventType: type, source: "alerts",
            payload: ["symbol": .string(symbol), "price": 50000.00, "n": .number(ExactDecimal(number))],
            priority: .normal)
    }
}
