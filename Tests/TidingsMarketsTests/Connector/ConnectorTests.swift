import Foundation
import NIOCore
import Testing
import TidingsTestSupport
import TidingsWebSocket

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct ConnectorTests {
    private static func fill(_ number: Int) -> String {
        #"{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"100.\#(number)","sz":"1","time":\#(1_700_000_000_000 + number),"tid":\#(number)}]}"#
    }

    /// A venue that answers every socket's first message with some frames.
    private static func listen(
        port: Int = 0, frames: @escaping @Sendable (Int) -> [String],
        refuse: @escaping @Sendable (Int) -> Bool = { _ in false }
    ) async throws -> WebSocketListener {
        let sockets = Locked(0)
        var configuration = WebSocketListenerConfiguration()
        configuration.port = port
        return try await WebSocketListener.bind(
            configuration: configuration,
            onUpgrade: { _ in
                let number = sockets.withLock { count in
                    count += 1
                    return count
                }
                if refuse(number) {
                    return .refuse(.init(status: 429, message: "slow down", headers: [.init("Retry-After", "1")]))
                }
                return .accept { _ in
                    let hasSpoken = Locked(false)
                    return WebSocketCallbacks(onText: { connection, _ in
                        let isFirst = hasSpoken.withLock { value in
                            defer { value = true }
                            return !value
                        }
                        guard isFirst else { return }
                        for frame in frames(number) { try? connection.send(text: frame) }
                    })
                }
            },
            onRequest: { _ in .init(status: 404, headers: [], body: ByteBuffer()) })
    }

    private static func states(_ events: [StandardEvent]) -> [String] {
        events.filter { $0.eventType == .connectorStatus }.compactMap { $0.payload["state"]?.string }
    }

    @Test func `a broken connection is made again, told of, and what the venue repeats is published once`() async throws
    {
        let listener = try await Self.listen(frames: { number in
            number == 1 ? [Self.fill(1), Self.fill(2)] : [Self.fill(1), Self.fill(2), Self.fill(3)]
        })
        let bus = MemoryEventBus()
        let trades = Collector<String>()
        let everything = Collector<StandardEvent>()
        try bus.addTap(to: .type(.trade), name: "trades") { trades.add($0.payload.trade?.tradeID?.description ?? "") }
        try bus.addTap(to: .all, name: "all") { everything.add($0) }
        let connector = try Connector(
            ConnectorConfiguration(
                venue: "hyperliquid", symbols: ["BTC"], endpoint: "ws://127.0.0.1:\(listener.port)/ws"),
            bus: bus)
        let running = Task { await connector.run() }
        #expect(await trades.wait(for: 2) == ["1", "2"])
        for socket in listener.webSockets { socket.abort() }
        #expect(await trades.wait(for: 3) == ["1", "2", "3"])
        running.cancel()
        await running.value
        let states = Self.states(everything.values)
        #expect(states == ["connecting", "connected", "reconnecting", "connecting", "connected", "stopped"])
        let reconnecting = try #require(everything.values.first { $0.payload["state"] == "reconnecting" })
        #expect(reconnecting.payload["attempt"]?.int == 1)
        #expect(reconnecting.payload["retry_in_ms"]?.int.map { (200...300).contains($0) } == true)
        #expect(everything.values.contains { $0.eventType == .error && $0.payload["error_code"] == "CONNECTION" })
        #expect(connector.health.reconnects == 1)
        #expect(connector.health.state == .stopped)
        await listener.close()
        await bus.stop()
    }

    @Test func `a venue that answers 429 is left alone for as long as it asks`() async throws {
        let listener = try await Self.listen(frames: { _ in [Self.fill(1)] }, refuse: { $0 == 1 })
        let bus = MemoryEventBus()
        let (trades, errors) = (Collector<Int>(), Collector<StandardEvent>())
        try bus.addTap(to: .type(.trade), name: "trades") { _ in trades.add(1) }
        try bus.addTap(to: .type(.error), name: "errors") { errors.add($0) }
        let connector = try Connector(
            ConnectorConfiguration(
                venue: "hyperliquid", symbols: ["BTC"], endpoint: "ws://127.0.0.1:\(listener.port)"),
            bus: bus)
        let began = ContinuousClock.now
        let running = Task { await connector.run() }
        _ = await trades.wait(for: 1)
        #expect(ContinuousClock.now - began >= .seconds(1))
        let error = try #require(errors.values.first)
        #expect(error.payload["error_code"] == "RATE_LIMIT")
        #expect(error.payload["message"] == "Rate limit exceeded")
        #expect(error.payload["details"]?.object?["status"]?.int == 429)
        running.cancel()
        await running.value
        await listener.close()
        await bus.stop()
    }

    @Test func `a venue that falls silent is told of while it is silent`() async throws {
        let listener = try await Self.listen(frames: { _ in [] })
        let bus = MemoryEventBus()
        let stale = Collector<StandardEvent>()
        try bus.addTap(to: .type(.connectorStatus), name: "stale") { event in
            if event.payload["state"] == "stale" { stale.add(event) }
        }
        let connector = try Connector(
            ConnectorConfiguration(
                venue: "hyperliquid", symbols: ["BTC"], endpoint: "ws://127.0.0.1:\(listener.port)",
                staleAfter: .milliseconds(500)),
            bus: bus)
        let running = Task { await connector.run() }
        let event = try #require(await stale.wait(for: 1).first)
        #expect(event.symbol == "BTC-USD")
        #expect(connector.health.reconnects == 0)
        running.cancel()
        await running.value
        await listener.close()
        await bus.stop()
    }

    @Test func `a full bus holds the feed up and nothing is lost`() async throws {
        let amount = 2000
        let listener = try await Self.listen(frames: { _ in (1...amount).map { Self.fill($0) } })
        let bus = MemoryEventBus()
        let seen = Collector<String>()
        try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "slow", capacity: 64)) { event in
            await Task.yield()
            seen.add(event.payload.trade?.tradeID?.description ?? "")
        }
        let connector = try Connector(
            ConnectorConfiguration(
                venue: "hyperliquid", symbols: ["BTC"], endpoint: "ws://127.0.0.1:\(listener.port)"),
            bus: bus)
        let running = Task { await connector.run() }
        #expect(await seen.wait(for: amount) == (1...amount).map(String.init))
        running.cancel()
        await running.value
        await listener.close()
        await bus.stop()
    }

    @Test func `wrong words are refused before anything is opened`() {
        let bus = MemoryEventBus()
        func code(_ configuration: ConnectorConfiguration) -> ConnectorError.Code? {
            do throws(ConnectorError) {
                _ = try Connector(configuration, bus: bus)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(.init(venue: "mtgox", symbols: ["BTC"])) == .unknownVenue)
        #expect(code(.init(venue: "hyperliquid", symbols: ["BTC-EUR"])) == .unknownSymbol)
        #expect(code(.init(venue: "hyperliquid", symbols: ["BTC"], endpoint: "http//x")) == .invalidEndpoint)
    }
}
