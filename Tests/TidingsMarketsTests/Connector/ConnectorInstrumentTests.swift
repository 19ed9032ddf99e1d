import Testing
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct ConnectorInstrumentTests {
    @Test func `symbols in either spelling are found in the venue's list, and what is not there is told`() async throws
    {
        let exchange = try await PracticeExchange.start(http: { $0 == "/instruments" ? "instruments AAA BBB CCC" : nil }
        )
        let run = try PracticeRun(exchange)
        var venue = PracticeVenue()
        venue.isCertain = false
        let connector = try run.connector(venue, symbols: ["aaa-usd", "BBBUSD", "ZZZ", "bbb-USD"])
        try await run.run(connector) {
            await run.wait(for: "subscribed")
            #expect(connector.health.symbols == ["AAA-USD", "BBB-USD"])
        }
        let error = try #require(run.error("UNKNOWN_SYMBOL"))
        #expect(error.payload["message"] == "'ZZZ' is no symbol of practice")
        #expect(error.payload["details"]?.object?["symbol"] == "ZZZ")
    }

    @Test func `with none of the symbols there is nothing to do`() async throws {
        let exchange = try await PracticeExchange.start(http: { _ in "instruments AAA" })
        let run = try PracticeRun(exchange)
        let connector = try run.connector(symbols: ["YYY", "ZZZ"])
        await connector.run()
        #expect(run.states.values == ["stopped"])
        #expect(run.status("stopped")?.payload["reason"] == "practice has none of YYY, ZZZ")
        #expect(run.errors.values.count == 2)
        #expect(connector.health.reason == "practice has none of YYY, ZZZ")
        await exchange.stop()
        await run.bus.stop()
    }

    @Test func `without a list names that leave no doubt will do`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        try await run.run(try run.connector(symbols: ["aaa"])) { await run.wait(for: "subscribed AAA-USD") }
        #expect(run.errors.values.isEmpty)
    }

    @Test func `names that leave a doubt wait for the list`() async throws {
        let asked = Locked(0)
        let exchange = try await PracticeExchange.start(http: { _ in
            let count = asked.withLock { count in
                count += 1
                return count
            }
            return count > 2 ? "instruments AAA" : "nonsense"
        })
        let run = try PracticeRun(exchange)
        var venue = PracticeVenue()
        venue.isCertain = false
        try await run.run(try run.connector(venue, symbols: ["AAA-USD"])) { await run.wait(for: "subscribed AAA-USD") }
        #expect(run.states.values.prefix(3) == ["reconnecting", "reconnecting", "connecting"])
        #expect(
            run.status("reconnecting")?.payload["reason"] == "the list of instruments cannot be had: no list")
    }
}
