import Testing
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct ConnectorStalenessTests {
    @Test func `a silent stream is told of, asked for anew, and its connection replaced while the others go on`()
        async throws
    {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector(symbols: ["AAA", "BBB"], channels: [.orderBook]) {
            $0.staleAfter = .milliseconds(400)
        }
        try await run.run(connector) {
            await run.wait(for: "subscribed")
            let feeding = exchange.keepSaying { "book AAA-USD \($0)" }
            await run.wait(for: "stale BBB-USD")
            _ = await exchange.said.wait(for: 3)
            #expect(exchange.said.values[2].text == "resubscribe BBB-USD order_book")
            #expect(connector.health.state == .stale)
            #expect(connector.health.stale.map(\.symbol) == ["BBB-USD"])
            // Asking anew is confirmed, which does not help: no book comes.
            await run.wait(for: "reconnecting")
            _ = await exchange.said.wait(for: 5)
            await run.wait(for: "subscribed", count: 2)
            exchange.say("book BBB-USD 1")
            await run.wait(for: "subscribed BBB-USD", count: 2)
            #expect(connector.health.stale.isEmpty)
            feeding.cancel()
            await feeding.value
        }
        let stale = try #require(run.status("stale"))
        #expect(stale.payload["reason"] == "order_book has been silent for too long")
        let error = try #require(run.error("STALE"))
        #expect(error.payload["details"]?.object?["channel"] == "order_book")
        let reason = try #require(run.status("reconnecting")?.payload["reason"]?.string)
        #expect(reason == "planned: BBB-USD order_book stayed silent after it was subscribed to anew")
        let talks = run.events.values.last { $0.payload["symbol"] == "BBB-USD" && $0.payload["state"] == "subscribed" }
        #expect(talks?.payload["reason"] == "order_book talks again")
        // The book that went on was not disturbed.
        #expect(!run.states.values.contains("stale AAA-USD"))
        let sequences = run.events.values.filter { $0.symbol == "AAA-USD" }
            .compactMap { $0.payload.orderBook?.sequence }
        #expect(sequences == Array(1...UInt64(sequences.count)))
    }

    @Test func `trades may pause`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector(channels: [.trade, .orderBook]) { $0.staleAfter = .milliseconds(300) }
        try await run.run(connector) {
            await run.wait(for: "subscribed")
            let feeding = exchange.keepSaying { "book AAA-USD \($0)" }
            // Well beyond `staleAfter`.
            while run.events.values.count(where: { $0.eventType == .orderBook }) < 40 {
                _ = await run.events.wait(for: run.events.values.count + 1)
            }
            feeding.cancel()
            await feeding.value
        }
        #expect(!run.states.values.contains("stale AAA-USD"))
    }
}
