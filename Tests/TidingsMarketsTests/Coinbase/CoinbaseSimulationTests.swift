import Testing
import Tidings

@testable import TidingsMarkets
@testable import TidingsSimulation

/// Generated markets of the simulated exchanges, through the sessions, without sockets.
@Suite struct CoinbaseSimulationTests {
    @Test(arguments: ["coinbase", "coinbase-advanced"])
    func `a generated market is followed without a problem, to the same books`(name: String) throws {
        let venue = try Venues.named(name)
        let simulated = try SimulatedVenues.named(name)
        var market = GeneratedMarket(instruments: simulated.instruments, seed: 7, start: 1_700_000_000_000)
        let symbols = market.instruments.map(\.instrument.symbol)
        var harness = SessionHarness(venue, symbols, MarketChannel.standard)
        var client = SimulatedClient()
        var all = VenueOutput()
        var frames: [[UInt8]] = []
        func deliver() {
            for frame in frames {
                let bytes =
                    simulated.numbersFrames
                    ? frame.withUnsafeBytes { simulated.numbered($0, as: client.nextSequence) } ?? frame : frame
                client.nextSequence += 1
                bytes.withUnsafeBytes { harness.session.receive($0, on: 1, at: harness.now, into: &all) }
            }
            frames = []
        }
        for text in harness.open().texts {
            let replies = text.withRawUTF8 {
                simulated.answer($0, client: &client, knows: { symbols.contains($0) })
            }
            for reply in replies {
                switch reply {
                case .frame(let frame), .acknowledgements(_, let frame): frames.append(frame)
                case .begin(let topic):
                    simulated.renderFirst(topic, of: market, for: client) { frames.append(Array($0)) }
                case .acknowledgement(let topic, let made):
                    frames.append(made)
                    simulated.renderFirst(topic, of: market, for: client) { frames.append(Array($0)) }
                }
            }
        }
        deliver()
        var fills = 0
        for _ in 0..<600 {
            for event in market.step() {
                if case .trades(let index) = event { fills += market.instruments[index].fills.count }
                simulated.render(event, of: market, for: client) { frames.append(Array($0)) }
            }
            deliver()
        }
        #expect(all.problems.isEmpty)
        #expect(all.requests.isEmpty)
        #expect(fills > 100)
        #expect(all.events.count { $0.eventType == .trade } >= fills)
        #expect(all.tickers.count > 100)
        #expect(all.notices.contains(.ready(connection: 1)))
        for (index, instrument) in market.instruments.enumerated() {
            let (book, isLive) = try #require(harness.session.book(of: index))
            #expect(isLive)
            for (side, levels) in [(LocalBook.Side.bid, instrument.book.bids), (.ask, instrument.book.asks)] {
                let ours = book.best(.max, side).map { "\($0.price) \($0.volume)" }
                let theirs = levels.map {
                    "\(instrument.instrument.priceText($0.price)) \(instrument.instrument.sizeText($0.size))"
                }
                let isSame = ours == theirs
                #expect(isSame, "\(name) \(instrument.instrument.symbol) \(side)")
            }
        }
    }
}
