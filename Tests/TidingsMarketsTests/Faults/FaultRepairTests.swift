import Testing
import TidingsSimulation
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

/// Every fault, in the middle of every venue's session, over real sockets.
///
/// The market lasts twelve seconds of its own and stands still after that, so that there is one true book to compare with.
@Suite(.serialized, .timeLimit(.minutes(3))) struct FaultRepairTests {
    private static let start: Int64 = 1_700_000_000_000
    private static let venues: [(name: String, symbols: [String])] = [
        ("binance", ["BTC-USDT", "ETH-USDT"]), ("coinbase", ["BTC-USD", "ETH-USD"]),
        ("coinbase-advanced", ["BTC-USD", "ETH-USD"]), ("hyperliquid", ["BTC-USD", "ETH-USD"]),
        ("kraken", ["BTC-USD", "ETH-USD"]),
    ]

    private struct Case: Sendable {
        let venue: String
        let symbols: [String]
        let fault: Fault.Kind

        /// The codes of which one has to be told; none where the venue gives no way to know.
        var codes: Set<String> {
            switch self.fault {
            case .drop, .serviceRestart: ["CONNECTION"]
            case .tooManyRequests: ["RATE_LIMIT"]
            case .garbage: ["PARSE"]
            case .stale, .slow, .halfOpen: ["STALE", "CONNECTION"]
            // Whole books every time and trades without a count: nothing shows that a frame is missing.
            case .gap: self.venue == "hyperliquid" ? [] : ["SEQUENCE_GAP", "CHECKSUM"]
            case .corrupt: ["CHECKSUM", "CROSSED_BOOK"]
            }
        }
    }

    /// What the bus has carried.
    private struct Seen: Sendable {
        var books: [Name: OrderBook] = [:]
        var trades: [Name: [UInt64]] = [:]
        var codes: [String] = []
        var crossed = 0
    }

    @Test(arguments: Fault.Kind.allCases)
    func `at every venue a fault is told of, mended, and leaves nothing wrong behind`(_ fault: Fault.Kind) async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for venue in Self.venues {
                group.addTask {
                    try await Self.play(Case(venue: venue.name, symbols: venue.symbols, fault: fault))
                }
            }
            try await group.waitForAll()
        }
    }

    private static func play(_ test: Case) async throws {
        var configuration = ExchangeSimulatorConfiguration(venue: test.venue, source: .generated(seed: 11))
        configuration.speed = .times(4)
        configuration.startTime = Self.start
        configuration.marketDuration = .seconds(12)
        configuration.banTime = .seconds(1)
        configuration.faults = [Fault(test.fault, at: .seconds(3))]
        let simulator = ExchangeSimulator(configuration: configuration)
        let port = try await simulator.start()

        let bus = MemoryEventBus()
        let seen = Locked(Seen())
        let steps = Collector<Bool>()
        try bus.addTap(to: .all, name: "seen") { event in
            seen.withLock { seen in Self.note(event, &seen) }
            steps.add(true)
        }
        var settings = ConnectorConfiguration(
            venue: test.venue, symbols: test.symbols, endpoint: "ws://127.0.0.1:\(port)", staleAfter: .milliseconds(700)
        )
        settings.book.depth = 10
        let connector = try Connector(settings, bus: bus)
        let running = Task { await connector.run() }

        var count = 0
        while true {
            count += 1
            _ = await steps.wait(for: count)
            let isTold = test.codes.isEmpty || seen.withLock { !test.codes.isDisjoint(with: $0.codes) }
            if isTold, let truth = simulator.snapshot, Self.isOver(truth), Self.agree(seen.withLock { $0 }, truth, test)
            {
                break
            }
        }
        running.cancel()
        await running.value
        await simulator.stop()
        await bus.stop()

        let end = seen.withLock { $0 }
        #expect(end.crossed == 0, "\(test.venue)")
        for (symbol, trades) in end.trades {
            #expect(Set(trades).count == trades.count, "\(test.venue): trades of \(symbol) came twice")
            if test.venue == "binance" || test.venue == "coinbase" || test.venue == "kraken" {
                let sorted = trades.sorted()
                #expect(
                    Self.holes(in: sorted).isEmpty,
                    "\(test.venue): trades of \(symbol) are missing: \(Self.holes(in: sorted))")
            }
        }
    }

    private static func note(_ event: StandardEvent, _ seen: inout Seen) {
        if let trade = event.payload.trade {
            seen.trades[trade.symbol, default: []].append(trade.tradeID?.number ?? 0)
        } else if let book = event.payload.orderBook {
            seen.books[book.symbol] = book
            if let bid = book.bestBid, let ask = book.bestAsk, bid.price >= ask.price { seen.crossed += 1 }
        } else if event.eventType == .error, let code = event.payload["error_code"]?.string {
            seen.codes.append(code)
        }
    }

    private static func isOver(_ truth: any VenueSnapshot) -> Bool {
        truth.time >= Self.start + 12_000
    }

    /// Whether the last books told are the exchange's.
    private static func agree(_ seen: Seen, _ truth: any VenueSnapshot, _ test: Case) -> Bool {
        guard let venue = try? Venues.named(test.venue), let instruments = try? venue.instruments(named: test.symbols)
        else {
            return false
        }
        return instruments.allSatisfy { instrument in
            guard let told = seen.books[Name(instrument.symbol)],
                let book = truth.book(of: instrument.venueSymbol)
            else { return false }
            func same(_ left: [OrderBook.Level], _ right: [BookLevel]) -> Bool {
                let pairs = zip(left, right.prefix(10))
                return left.count == min(10, right.count)
                    && pairs.allSatisfy {
                        $0.price == ExactDecimal($1.price) && $0.volume == ExactDecimal($1.size)
                    }
            }
            return same(told.bids, book.bids) && same(told.asks, book.asks)
        }
    }

    private static func holes(in numbers: [UInt64]) -> [String] {
        zip(numbers, numbers.dropFirst()).filter { $1 - $0 > 1 }.map { "\($0)..\($1)" }
    }
}
