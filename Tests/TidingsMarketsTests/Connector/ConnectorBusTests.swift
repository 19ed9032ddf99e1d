import Testing
import TidingsTestSupport
import TidingsTesting

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct ConnectorBusTests {
    @Test func `a full bus holds the feed up and nothing is lost`() async throws {
        let amount = 2000
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let seen = Collector<String>()
        try run.bus.subscribe(to: .trade, options: SubscriptionOptions(name: "slow", capacity: 64)) { event in
            await Task.yield()
            seen.add(event.payload.trade?.tradeID?.description ?? "")
        }
        try await run.run(try run.connector()) {
            await run.wait(for: "subscribed")
            for id in 1...amount { exchange.say("trade AAA-USD \(id)") }
            #expect(await seen.wait(for: amount) == (1...amount).map(String.init))
        }
    }

    @Test func `a bus that stays full loses events, which is told, and books told in deltas are asked for anew`()
        async throws
    {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let recording = RecordingBus(forwardingTo: run.bus)
        var configuration = ConnectorConfiguration(
            venue: PracticeVenue(), symbols: ["AAA", "BBB"], channels: [.trade, .orderBook], endpoint: exchange.endpoint
        )
        configuration.maximumStall = .milliseconds(300)
        configuration.book.kind = .delta
        let connector = try Connector(configuration, bus: recording)
        try await run.run(connector) {
            await run.wait(for: "subscribed")
            recording.refuse(with: EventBusError(.full, "full"))
            exchange.say("trade AAA-USD 1")
            exchange.say("book BBB-USD 1")
            let said = await exchange.said.wait(for: 5)
            #expect(said.last?.text == "resubscribe BBB-USD order_book")
            #expect(connector.health.dropped >= 1)
            recording.refuse(with: nil)
            exchange.say("trade AAA-USD 2")
            #expect(await run.trades.wait(for: 1).last == "2")
        }
        let error = try #require(run.error("SEQUENCE_GAP"))
        #expect(error.payload["details"]?.object?["dropped"]?.int.map { $0 > 0 } == true)
    }

    @Test func `a bus that stops ends the connector`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector()
        let running = Task { await connector.run() }
        await run.wait(for: "subscribed")
        await run.bus.stop()
        exchange.say("trade AAA-USD 1")
        await running.value
        #expect(connector.health.state == .stopped)
        await exchange.stop()
    }
}
