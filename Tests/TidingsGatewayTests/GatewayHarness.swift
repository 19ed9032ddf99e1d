import Logging
import NIOCore
import ServiceLifecycle
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

/// A gateway with its bus and log, listening on a free port for as long as a test's body runs.
struct GatewayHarness: Sendable {
    let gateway: Gateway
    let bus: MemoryEventBus
    let log: MemoryEventLog
    let port: Int
    let services: ServiceGroup

    static func run<Result: Sendable>(
        logCapacity: Int = 100_000, duplicateWindow: Int = 1 << 16, sources: GatewaySources = GatewaySources(),
        configure: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @Sendable (GatewayHarness) async throws -> Result
    ) async throws -> Result {
        var configuration = GatewayConfiguration()
        configuration.port = 0
        configuration.stopTimeout = .seconds(2)
        configure(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let log = MemoryEventLog(capacity: logCapacity)
        let bus = MemoryEventBus(log: log, duplicateWindow: duplicateWindow, logger: logger)
        let listening = Signal<GatewayAddress>()
        let gateway = try Gateway(configuration: configuration, bus: bus, log: log, sources: sources, logger: logger) {
            listening.send($0)
        }
        let services = ServiceGroup(services: [gateway], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await services.run()
                } catch {
                    listening.fail(error)
                    throw error
                }
            }
            let address = try await listening.value()
            let harness = GatewayHarness(gateway: gateway, bus: bus, log: log, port: address.port, services: services)
            let outcome: Swift.Result<Result, any Error>
            do {
                outcome = .success(try await body(harness))
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            await bus.stop()
            return try outcome.get()
        }
    }

    /// Publishes trades with rising prices and ids `prefix-1`, `prefix-2`, ...; returns when they are in the log.
    func publishTrades(_ range: ClosedRange<Int>, symbol: String = "BTC-USD", type: EventType = .trade) async throws {
        var rest = Array(range)[...]
        while !rest.isEmpty {
            let events = rest.prefix(EventBatch.capacity).map { number in
                StandardEvent(
                    eventType: type, source: "test",
                    payload: [
                        "symbol": .string(symbol), "price": .number(ExactDecimal(integerLiteral: Int64(number))),
                    ],
                    eventID: EventID("\(symbol)-\(type)-\(number)"))
            }
            rest = rest.dropFirst(events.count)
            _ = try await self.bus.publish(EventBatch(events))
        }
    }

    func http() async throws -> HTTPTestClient {
        try await HTTPTestClient.connect(port: self.port)
    }

    /// One request on a connection of its own.
    func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String? = nil
    ) async throws -> HTTPTestResponse {
        let client = try await self.http()
        defer { client.close() }
        return try await client.request(method, path, headers: headers, body: body)
    }

    func post(
        _ body: String, type: String = "application/json", path: String = "/api/v1/events"
    ) async throws
        -> HTTPTestResponse
    {
        try await self.request("POST", path, headers: [("Content-Type", type)], body: body)
    }

    func socket(
        headers: [WebSocketHeader] = [], subprotocols: [String] = [], deflate: WebSocketDeflateOptions? = nil
    ) async throws -> TestSocket {
        try await TestSocket.connect(
            "ws://127.0.0.1:\(self.port)/ws", headers: headers, subprotocols: subprotocols, deflate: deflate)
    }
}

/// Something that comes once, from anywhere.
final class Signal<Value: Sendable>: Sendable {
    private struct State: ~Copyable {
        var result: Result<Value, any Error>?
        var waiters: [CheckedContinuation<Value, any Error>] = []
    }

    private let state = Locked(State())

    func send(_ value: Value) { self.complete(.success(value)) }
    func fail(_ error: any Error) { self.complete(.failure(error)) }

    private func complete(_ result: Result<Value, any Error>) {
        let waiters = self.state.withLock { state -> [CheckedContinuation<Value, any Error>] in
            guard state.result == nil else { return [] }
            state.result = result
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let result = self.state.withLock { state -> Result<Value, any Error>? in
                if state.result == nil { state.waiters.append(continuation) }
                return state.result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}

struct TimedOut: Error, CustomStringConvertible {
    let what: String
    var description: String { "timed out: \(self.what)" }
}

/// Runs `body`, but not for ever.
func within<Result: Sendable>(
    _ limit: Duration = .seconds(20), _ what: String = "", _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TimedOut(what: what)
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw TimedOut(what: what) }
        return first
    }
}

/// Asks again and again until the answer is yes.
func eventually(
    _ what: String, _ limit: Duration = .seconds(20), _ condition: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(2))
    }
}
