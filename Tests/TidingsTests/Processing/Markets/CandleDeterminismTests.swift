import Testing
import TidingsTestSupport

@testable import Tidings

/// The same trades make the same candles, whoever or whatever closes them.
@Suite(.timeLimit(.minutes(5))) struct CandleDeterminismTests {
    /// Trades of several markets as a socket reads them: mostly in order, some late, with pauses and bursts.
    private static func trades(_ random: inout SeededGenerator) -> [StandardEvent] {
        var trades: [StandardEvent] = []
        var (read, time) = (Int64(0), Int64(0))
        for number in 0..<(50 + random.below(250)) {
            let step = random.chance(5) ? Int64(random.below(20_000)) : Int64(random.below(300))
            read += step
            // What the exchange's clock shows, between 0 and 100 ms before, sometimes much more.
            time = read - Int64(random.below(100)) - (random.chance(4) ? Int64(random.below(8000)) : 0)
            trades.append(
                Trades.trade(
                    time, "\(100 + random.below(50)).\(random.below(10))", "0.\(1 + random.below(99))", number: number,
                    read: read, source: random.chance(80) ? "binance" : "kraken",
                    symbol: random.chance(70) ? "BTC-USDT" : "ETH-USDT"))
        }
        return trades
    }

    private static func configuration(_ random: inout SeededGenerator) -> CandleConfiguration {
        var configuration = CandleConfiguration(
            intervals: random.pick([["1s"], ["1s", "15s", "1m"], ["5s", "1h"]]).compactMap { CandleInterval($0) })
        configuration.late = .milliseconds(random.pick([0, 500, 2000, 5000]))
        configuration.latePolicy = random.pick([.drop, .amend])
        configuration.updates = random.pick([nil, .zero, .milliseconds(250), .seconds(1)])
        return configuration
    }

    private static func lasting(_ events: [StandardEvent]) -> [String] { events.map(\.lasting).sorted() }

    @Test func `a timer that ticks between the trades changes nothing`() throws {
        var random = SeededGenerator(seed: 20_240_115)
        for _ in 0..<200 {
            let (configuration, trades) = (Self.configuration(&random), Self.trades(&random))
            var still = DeriverBench(CandleProcessor(configuration))
            var ticking = DeriverBench(CandleProcessor(configuration))
            for (index, trade) in trades.enumerated() {
                try still.give(trade)
                try ticking.give(trade)
                guard let read = trade.payload.trade?.context.receivedAt else { continue }
                let next = index + 1 < trades.count ? trades[index + 1].payload.trade?.context.receivedAt : nil
                let pause = (next ?? read.advanced(by: .seconds(1))).duration(since: read)
                for _ in 0..<random.below(4) {
                    // Our clock is a year ahead of the exchange's, and never beyond when the next trade is received.
                    let share = Double(random.below(100)) / 100
                    try ticking.advance(to: read.advanced(by: pause * share).advanced(by: .seconds(31_536_000)))
                }
            }
            _ = still.run { $0.finish(output: &$1) }
            _ = ticking.run { $0.finish(output: &$1) }
            // The timer's events carry the chain that a bus adds to those made while handling an event.
            let chained = ticking.output.map { event in
                var event = event
                event.causes = nil
                return event
            }
            let plain = still.output.map { event in
                var event = event
                event.causes = nil
                return event
            }
            #expect(Self.lasting(plain) == Self.lasting(chained))
            #expect(Set(still.output.map(\.eventID)).count == still.output.count)
            #expect(still.deriver.counters == ticking.deriver.counters)
        }
    }

    @Test func `the last version of each candle is right even where the timer could not know better`() throws {
        var random = SeededGenerator(seed: 99)
        for _ in 0..<200 {
            var (configuration, trades) = (Self.configuration(&random), Self.trades(&random))
            configuration.latePolicy = .drop
            // Nobody says when they were received.
            trades = trades.map { event in
                var trade = event.payload.trade
                trade?.context.receivedAt = nil
                var event = event
                if let trade { event.payload = .trade(trade) }
                return event
            }
            var still = DeriverBench(CandleProcessor(configuration))
            var ticking = DeriverBench(CandleProcessor(configuration))
            var now = Trades.time(0)
            for trade in trades {
                try still.give(trade)
                try ticking.give(trade)
                for _ in 0..<random.below(3) {
                    now = now.advanced(by: .milliseconds(random.below(5000)))
                    try ticking.advance(to: now)
                }
            }
            _ = still.run { $0.finish(output: &$1) }
            _ = ticking.run { $0.finish(output: &$1) }
            #expect(Self.final(still.output) == Self.final(ticking.output))
        }
    }

    /// The last version of each candle.
    private static func final(_ events: [StandardEvent]) -> [String: String] {
        var final: [String: String] = [:]
        for event in events {
            guard let candle = event.payload.candle, let of = candle.origin else { continue }
            final["\(of) \(candle.symbol) \(candle.interval) \(candle.timestamp)"] = event.candleText
        }
        return final
    }

    @Test func `candles add up to their trades`() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<100 {
            var configuration = Self.configuration(&random)
            configuration.late = .seconds(30)
            configuration.intervals = ["1s", "1m"].compactMap { CandleInterval($0) }
            let trades = Self.trades(&random)
            var bench = DeriverBench(CandleProcessor(configuration))
            for trade in trades { try bench.give(trade) }
            _ = bench.run { $0.finish(output: &$1) }
            let final = Dictionary(
                bench.output.compactMap(\.payload.candle).filter { $0.isClosed == true }.map {
                    ("\($0.origin ?? "") \($0.symbol) \($0.interval) \($0.timestamp)", $0)
                }, uniquingKeysWith: { $1 })
            for interval in ["1s", "1m"] {
                let candles = final.values.filter { $0.interval.description == interval }
                #expect(candles.reduce(0) { $0 + ($1.trades ?? 0) } == UInt64(trades.count))
                let volume = try candles.reduce(ExactDecimal.zero) { try #require($0.adding($1.volume)) }
                let traded = try trades.compactMap(\.payload.trade).reduce(ExactDecimal.zero) {
                    try #require($0.adding($1.volume))
                }
                #expect(volume == traded)
                for candle in candles {
                    #expect(candle.low <= candle.open && candle.low <= candle.close)
                    #expect(candle.high >= candle.open && candle.high >= candle.close)
                }
            }
        }
    }

    @Test func `on a bus, closed by the timer or by a trade, the bytes are the same`() async throws {
        func run(_ advances: Bool) async throws -> [String] {
            let bus = MemoryEventBus()
            let seen = Collector<StandardEvent>()
            try bus.addTap(to: .type(.ohlcv), name: "seen") { seen.add($0) }
            var configuration = CandleConfiguration(intervals: [try #require(CandleInterval("1s"))])
            configuration.updates = nil
            let service = ProcessorService(CandleProcessor(configuration), bus: bus, filter: .type(.trade))
            try await service.start()
            try await bus.publish(Trades.trade(0, "100", number: 1))
            while service.processing.processed < 1 { await Task.yield() }
            if advances {
                await service.advance(to: Trades.time(0))
                await service.advance(to: Trades.time(5000))
                #expect(seen.values.count == 1)
            }
            try await bus.publish(Trades.trade(60_000, "101", number: 2))
            let events = await seen.wait(for: 1)
            while service.processing.processed < 2 || service.processing.emitted < 1 { await Task.yield() }
            let statistics = service.processing
            #expect(statistics.emitted == 1 && statistics.failed == 0 && statistics.counters["late"] == 0)
            #expect(statistics.time.total == 2)
            await service.stop()
            await bus.stop()
            return events.map(\.lasting)
        }
        let (timer, trade) = (try await run(true), try await run(false))
        #expect(timer == trade)
    }
}
