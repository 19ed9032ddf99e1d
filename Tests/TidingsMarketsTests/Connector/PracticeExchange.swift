import NIOCore
import TidingsTestSupport
import TidingsWebSocket

@testable import Tidings
@testable import TidingsMarkets

/// The server of a ``PracticeVenue``: acknowledges every subscription, answers HTTP, and otherwise does what a test says.
final class PracticeExchange: Sendable {
    /// A text that a client has sent, and on which socket: the first is 1.
    struct Said: Sendable, Equatable {
        var socket: Int
        var text: String
    }

    private struct State {
        var sockets = 0
        var open: [Int: WebSocketConnection] = [:]
    }

    let listener: WebSocketListener
    let said: Collector<Said>
    /// The URIs of handshakes and requests.
    let requests: Collector<String>
    private let state: Locked<State>

    /// - Parameters:
    ///   - refusal: of a handshake, by the number of the attempt.
    ///   - answer: to a text; by default the acknowledgment of a subscription.
    ///   - http: the body of an answer to a target, or 404.
    static func start(
        refusal: @escaping @Sendable (Int) -> WebSocketHandshake.Refusal? = { _ in nil },
        answer: @escaping @Sendable (Int, String) -> [String] = { PracticeExchange.acknowledge($0, $1) },
        http: @escaping @Sendable (String) async -> String? = { _ in nil }
    ) async throws -> PracticeExchange {
        let (said, requests) = (Collector<Said>(), Collector<String>())
        let state = Locked(State())
        let listener = try await WebSocketListener.bind(
            onUpgrade: { request in
                let number = state.withLock { state in
                    state.sockets += 1
                    return state.sockets
                }
                requests.add(request.uri)
                if let refusal = refusal(number) { return .refuse(refusal) }
                return .accept { connection in
                    state.withLock { $0.open[number] = connection }
                    return WebSocketCallbacks(
                        onText: { connection, bytes in
                            let text = String(decoding: bytes, as: UTF8.self)
                            said.add(Said(socket: number, text: text))
                            for frame in answer(number, text) { try? connection.send(text: frame) }
                        },
                        onClose: { _, _ in state.withLock { $0.open[number] = nil } })
                }
            },
            onRequest: { request in
                requests.add(request.uri)
                guard let body = await http(request.uri) else { return .init(status: 404) }
                return .init(text: body)
            })
        return PracticeExchange(listener, said, requests, state)
    }

    private init(
        _ listener: WebSocketListener, _ said: Collector<Said>, _ requests: Collector<String>, _ state: Locked<State>
    ) {
        self.listener = listener
        self.said = said
        self.requests = requests
        self.state = state
    }

    static func acknowledge(_ socket: Int, _ text: String) -> [String] {
        let words = text.split(separator: " ")
        guard words.count == 3, words[0].hasSuffix("subscribe") else { return [] }
        return ["ack \(words[1]) \(words[2])"]
    }

    var endpoint: String { "ws://127.0.0.1:\(self.listener.port)" }

    /// Sends a frame on every open socket.
    func say(_ frame: String) {
        for connection in self.state.withLock({ Array($0.open.values) }) { try? connection.send(text: frame) }
    }

    func say(_ frame: String, on socket: Int) {
        try? self.state.withLock { $0.open[socket] }?.send(text: frame)
    }

    /// Keeps sending a frame on every open socket, numbered by `frame`, until the returned task is cancelled.
    func keepSaying(_ frame: @escaping @Sendable (Int) -> String) -> Task<Void, Never> {
        Task {
            var number = 0
            while !Task.isCancelled {
                number += 1
                self.say(frame(number))
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    func close(_ socket: Int, _ code: WebSocketCloseCode, _ reason: String = "") {
        self.state.withLock { $0.open[socket] }?.close(code, reason: reason)
    }

    func stop() async { await self.listener.close() }
}

/// A connector at a practice exchange, everything it publishes, and its end.
struct PracticeRun: Sendable {
    let exchange: PracticeExchange
    let bus = MemoryEventBus()
    let events = Collector<StandardEvent>()
    let trades = Collector<String>()
    /// `connector_status`, as `state`, or `state symbol`.
    let states = Collector<String>()
    let errors = Collector<StandardEvent>()

    init(_ exchange: PracticeExchange) throws {
        self.exchange = exchange
        let (events, trades, states, errors) = (self.events, self.trades, self.states, self.errors)
        try self.bus.addTap(to: .all, name: "all") { event in
            if event.eventType == .trade { trades.add(event.payload.trade?.tradeID?.description ?? "") }
            if event.eventType == .error { errors.add(event) }
            if event.eventType == .connectorStatus {
                let symbol = event.payload["symbol"]?.string.map { " \($0)" } ?? ""
                states.add((event.payload["state"]?.string ?? "") + symbol)
            }
            events.add(event)
        }
    }

    func connector(
        _ venue: PracticeVenue = PracticeVenue(), symbols: [String] = ["AAA"], channels: [MarketChannel] = [.trade],
        _ change: (inout ConnectorConfiguration) -> Void = { _ in }
    ) throws -> Connector {
        var configuration = ConnectorConfiguration(
            venue: venue, symbols: symbols, channels: channels, endpoint: self.exchange.endpoint)
        change(&configuration)
        return try Connector(configuration, bus: self.bus)
    }

    /// Runs a connector for as long as `body` does.
    func run(_ connector: Connector, _ body: () async throws -> Void) async throws {
        let running = Task { await connector.run() }
        do {
            try await body()
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        await running.value
        await self.exchange.stop()
        await self.bus.stop()
    }

    /// Waits until a status has come so many times.
    func wait(for state: String, count: Int = 1) async {
        var seen = 0
        while self.states.values.count(where: { $0 == state }) < count {
            seen = self.states.values.count
            if self.states.values.count(where: { $0 == state }) >= count { return }
            _ = await self.states.wait(for: seen + 1)
        }
    }

    func status(_ state: String) -> StandardEvent? {
        self.events.values.first { $0.eventType == .connectorStatus && $0.payload["state"]?.string == state }
    }

    func error(_ code: String) -> StandardEvent? {
        self.errors.values.first { $0.payload["error_code"]?.string == code }
    }
}
