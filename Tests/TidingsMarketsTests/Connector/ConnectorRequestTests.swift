import Testing
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct ConnectorRequestTests {
    @Test func `lost trades are asked for and published when they come`() async throws {
        let exchange = try await PracticeExchange.start(http: { $0 == "/trades?from=2&to=4" ? "2 3 4" : nil })
        let run = try PracticeRun(exchange)
        try await run.run(try run.connector()) {
            await run.wait(for: "subscribed")
            exchange.say("trade AAA-USD 1")
            exchange.say("trade AAA-USD 5")
            #expect(await run.trades.wait(for: 5) == ["1", "5", "2", "3", "4"])
        }
        #expect(run.error("SEQUENCE_GAP") != nil)
    }

    @Test func `every request is answered once, those too many by a failure`() async throws {
        let gate = Gate()
        let exchange = try await PracticeExchange.start(http: { target in
            guard target.hasPrefix("/slow") else { return nil }
            await gate.wait()
            return "late"
        })
        let run = try PracticeRun(exchange)
        let connector = try run.connector()
        try await run.run(connector) {
            await run.wait(for: "subscribed")
            // 66 may be on their way.
            exchange.say("ask 70")
            let refused = await run.errors.wait(for: 4)
            #expect(refused.allSatisfy { $0.payload["error_code"] == "UNANSWERED" })
            #expect(refused.first?.payload["message"] == "0 more than 66 requests are on their way")
            gate.open()
            // Of one kind: the first is told at once, the others are counted.
            while run.error("ANSWERED") == nil { _ = await run.errors.wait(for: run.errors.values.count + 1) }
        }
    }

    @Test func `an end does not wait for answers`() async throws {
        let gate = Gate()
        let exchange = try await PracticeExchange.start(http: { target in
            guard target.hasPrefix("/slow") else { return nil }
            await gate.wait()
            return "late"
        })
        let run = try PracticeRun(exchange)
        let connector = try run.connector()
        let running = Task { await connector.run() }
        await run.wait(for: "subscribed")
        exchange.say("ask 3")
        _ = await exchange.requests.wait(for: 3)
        let began = ContinuousClock.now
        running.cancel()
        await running.value
        #expect(ContinuousClock.now - began < .seconds(4))
        #expect(run.states.values.last == "stopped")
        #expect(run.errors.values.isEmpty)
        gate.open()
        await exchange.stop()
        await run.bus.stop()
    }

    @Test func `an end while connecting is an end`() async throws {
        // Takes connections and never answers the handshake.
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector { $0.endpoint = "ws://192.0.2.1:9" }
        let running = Task { await connector.run() }
        let began = ContinuousClock.now
        running.cancel()
        await running.value
        #expect(ContinuousClock.now - began < .seconds(4))
        #expect(run.states.values.last == "stopped")
        await exchange.stop()
        await run.bus.stop()
    }
}
