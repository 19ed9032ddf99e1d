import Testing
import TidingsTestSupport
import TidingsWebSocket

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct ConnectorTests {
    @Test func `a broken connection is made again, told of, and what the venue repeats is published once`() async throws
    {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector()
        try await run.run(connector) {
            await run.wait(for: "subscribed AAA-USD")
            for id in 1...2 { exchange.say("trade AAA-USD \(id)") }
            #expect(await run.trades.wait(for: 2) == ["1", "2"])
            exchange.close(1, .serviceRestart, "maintenance")
            await run.wait(for: "subscribed AAA-USD", count: 2)
            for id in 1...3 { exchange.say("trade AAA-USD \(id)") }
            #expect(await run.trades.wait(for: 3) == ["1", "2", "3"])
            #expect(connector.health.state == .subscribed)
        }
        #expect(
            run.states.values == [
                "connecting", "connected", "subscribed AAA-USD", "subscribed", "reconnecting", "connecting",
                "connected", "subscribed AAA-USD", "subscribed", "stopped",
            ])
        let reconnecting = try #require(run.status("reconnecting"))
        #expect(reconnecting.payload["attempt"]?.int == 1)
        #expect(reconnecting.payload["retry_in_ms"]?.int.map { (200...300).contains($0) } == true)
        #expect(reconnecting.payload["reason"] == "closed with 1012, maintenance")
        let details = run.error("CONNECTION")?.payload["details"]?.object
        #expect(details?["close_code"]?.int == 1012)
        #expect(details?["close_reason"] == "maintenance")
        #expect(connector.health.reconnects == 1)
        #expect(connector.health.state == .stopped)
        #expect(exchange.said.values.map(\.text) == ["subscribe AAA-USD trade", "subscribe AAA-USD trade"])
        #expect(exchange.requests.values == ["/instruments", "/feed", "/feed"])
    }

    @Test func `a venue that answers 429 is left alone for as long as it asks`() async throws {
        let exchange = try await PracticeExchange.start(refusal: { number in
            number > 1
                ? nil : .init(status: 429, message: "slow down", headers: [WebSocketHeader("Retry-After", "1")])
        })
        let run = try PracticeRun(exchange)
        let began = ContinuousClock.now
        try await run.run(try run.connector()) {
            await run.wait(for: "subscribed")
            #expect(ContinuousClock.now - began >= .seconds(1))
        }
        let error = try #require(run.error("RATE_LIMIT"))
        #expect(error.payload["message"] == "Rate limit exceeded")
        #expect(error.payload["details"]?.object?["status"]?.int == 429)
        #expect(error.payload["details"]?.object?["retry_after_seconds"]?.int == 1)
        #expect(run.status("reconnecting")?.payload["retry_in_ms"]?.int == 1000)
    }

    @Test func `before a connection is too old another overlaps it, and nothing is lost or comes twice`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector { $0.connectionLife = .milliseconds(1500) }
        try await run.run(connector) {
            await run.wait(for: "subscribed AAA-USD")
            // Every trade goes to all sockets that are open.
            let feeding = exchange.keepSaying { "trade AAA-USD \($0)" }
            // The second replacement is under way: one has been seen from its beginning to its end.
            _ = await exchange.said.wait(for: 3)
            feeding.cancel()
            await feeding.value
        }
        let ids = run.trades.values.compactMap(Int.init)
        #expect(ids.count > 20)
        #expect(ids == Array(1...ids.count))
        #expect(run.errors.values.isEmpty)
        #expect(
            run.states.values.prefix(6) == [
                "connecting", "connected", "subscribed AAA-USD", "subscribed", "reconnecting", "subscribed",
            ])
        #expect(run.status("reconnecting")?.payload["reason"]?.string?.hasPrefix("planned: ") == true)
        #expect(connector.health.reconnects >= 1)
    }

    @Test func `a session may ask for another connection, at once or with an overlap`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        try await run.run(try run.connector()) {
            await run.wait(for: "subscribed")
            exchange.say("planned shutdown", on: 1)
            await run.wait(for: "subscribed", count: 2)
            exchange.say("useless sequence", on: 2)
            await run.wait(for: "subscribed", count: 3)
        }
        let reasons = run.events.values.filter { $0.payload["state"] == "reconnecting" }
            .compactMap { $0.payload["reason"]?.string }
        #expect(reasons == ["planned: shutdown", "sequence"])
        #expect(run.errors.values.compactMap { $0.payload["message"]?.string } == ["sequence"])
        #expect(exchange.said.values.map(\.socket) == [1, 2, 3])
    }

    @Test func `a connection on which nothing at all comes is dead`() async throws {
        // Accepts sockets and never says a word.
        let exchange = try await PracticeExchange.start(answer: { _, _ in [] })
        let run = try PracticeRun(exchange)
        var venue = PracticeVenue()
        venue.limits.silence = .milliseconds(300)
        try await run.run(try run.connector(venue)) {
            _ = await exchange.said.wait(for: 2)
        }
        let reason = run.status("reconnecting")?.payload["reason"]?.string
        #expect(reason?.hasPrefix("nothing at all has come for") == true)
    }

    @Test func `messages go at the venue's rate, in their order`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        var venue = PracticeVenue()
        venue.limits.messagesPerSecond = 20
        venue.limits.messageBurst = 10
        try await run.run(try run.connector(venue)) {
            await run.wait(for: "subscribed")
            let began = ContinuousClock.now
            exchange.say("say 30", on: 1)
            let said = await exchange.said.wait(for: 31)
            // 18 in a second, the subscription among them.
            #expect(ContinuousClock.now - began > .milliseconds(900))
            #expect(said.dropFirst().map(\.text) == (0..<30).map { "said \($0)" })
        }
    }

    @Test func `problems, and books that are mended, are told of`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector(symbols: ["AAA", "BBB"])
        try await run.run(connector) {
            await run.wait(for: "subscribed")
            exchange.say("resync BBB-USD")
            await run.wait(for: "resyncing BBB-USD")
            #expect(connector.health.state == .resyncing)
            #expect(connector.health.resyncing == [.init(symbol: "BBB-USD", reason: "a test")])
            for _ in 0..<50 { exchange.say("nonsense") }
            exchange.say("whole BBB-USD")
            await run.wait(for: "subscribed BBB-USD", count: 2)
            #expect(connector.health.state == .subscribed)
            #expect(connector.health.resyncing.isEmpty)
            #expect(connector.health.resyncs == 1)
            // The first at once, the others together.
            let errors = await run.errors.wait(for: 2)
            #expect(errors.allSatisfy { $0.payload["error_code"] == "PARSE" })
            #expect(errors[1].payload["details"]?.object?["unreported"]?.int == 48)
        }
    }

    @Test func `health says how late and how long ago`() async throws {
        let exchange = try await PracticeExchange.start()
        let run = try PracticeRun(exchange)
        let connector = try run.connector()
        #expect(connector.health.state == .connecting)
        #expect(connector.health.messageAge() == nil)
        try await run.run(connector) {
            await run.wait(for: "subscribed")
            exchange.say("trade AAA-USD 1")
            _ = await run.trades.wait(for: 1)
            let health = connector.health
            #expect(health.connector == "practice")
            #expect(health.symbols == ["AAA-USD"])
            #expect(health.messages == 2)
            // The trade is of November 2023.
            #expect((health.latencyMs ?? 0) > 86_400_000)
            let age = try #require(health.messageAge())
            #expect(age >= .zero && age < .seconds(30))
        }
    }
}
