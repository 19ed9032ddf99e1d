/// Plays a generated market.
package struct GeneratedSource: PlaybackSource {
    private let venue: any SimulatedVenue
    private var market: GeneratedMarket
    private var client = SimulatedClient()

    package init(_ market: GeneratedMarket, venue: any SimulatedVenue) {
        self.market = market
        self.venue = venue
    }

    package var nextOffset: Int64? { self.market.nextOffset }

    package mutating func advance(emit: (UnsafeRawBufferPointer) -> Void) {
        let events = self.market.step()
        guard !self.client.subscriptions.isEmpty else { return }
        for event in events {
            self.venue.render(event, of: self.market, for: self.client, emit: emit)
        }
    }

    package mutating func select(_ client: SimulatedClient) {
        self.client = client
    }

    package func begin(_ topic: Topic, emit: (UnsafeRawBufferPointer) -> Void) {
        self.venue.renderFirst(topic, of: self.market, for: self.client, emit: emit)
    }

    package func acknowledgement(of topic: Topic) -> [UInt8]? { nil }

    package func acknowledgement(ofAll topics: Set<Topic>) -> [UInt8]? { nil }

    package var snapshot: any VenueSnapshot {
        GeneratedSnapshot(market: self.market, venue: self.venue)
    }

    package func corrupted(_ frame: UnsafeRawBufferPointer) -> [UInt8]? {
        self.venue.corrupted(frame, from: self.snapshot)
    }
}

/// A generated exchange as it was at one moment.
struct GeneratedSnapshot: VenueSnapshot {
    let market: GeneratedMarket
    let venue: any SimulatedVenue

    var symbols: [String] { self.market.instruments.map(\.instrument.symbol) }
    var topics: [Topic] { [] }

    func recent(_ topic: Topic, limit: Int) -> [[UInt8]] {
        self.venue.renderRecent(topic, of: self.market, limit: limit)
    }

    func response(to uri: String) -> [UInt8]? { nil }

    var time: Int64 { self.market.time }

    func instrument(_ symbol: String) -> InstrumentRecord {
        let instrument = self.market.index(of: symbol).map { self.market.instruments[$0].instrument }
        return InstrumentRecord(
            symbol: symbol, priceDigits: Int(instrument?.priceScale ?? 0), sizeDigits: Int(instrument?.sizeScale ?? 0))
    }

    func book(of symbol: String) -> SimulatedBook? {
        self.market.index(of: symbol).map { self.market.instruments[$0].simulatedBook }
    }

    func firstBook(of symbol: String) -> SimulatedBook? { nil }

    func trades(of symbol: String) -> [TradeRecord] {
        guard let index = self.market.index(of: symbol) else { return [] }
        let instrument = self.market.instruments[index]
        return instrument.tape.all.map { $0.record(instrument.instrument) }
    }

    func candles(of symbol: String, _ interval: CandleInterval) -> [CandleRecord] {
        guard let index = self.market.index(of: symbol) else { return [] }
        let instrument = self.market.instruments[index]
        return instrument.candles.candles(interval).map { $0.record(instrument.instrument) }
    }
}

extension GeneratedInstrument {
    /// The book with its numbers as text.
    package var simulatedBook: SimulatedBook {
        func levels(_ levels: [GeneratedBook.Level]) -> [BookLevel] {
            levels.map { BookLevel(self.instrument.priceText($0.price), self.instrument.sizeText($0.size)) }
        }
        return SimulatedBook(
            symbol: self.instrument.symbol, sequence: self.change.last, bids: levels(self.book.bids),
            asks: levels(self.book.asks))
    }
}

extension GeneratedInstrument.Fill {
    package func record(_ instrument: Instrument) -> TradeRecord {
        TradeRecord(
            id: self.number, price: instrument.priceText(self.price), size: instrument.sizeText(self.size),
            isBuy: self.isBuy, time: self.time * 1_000_000)
    }
}

extension GeneratedCandles.Candle {
    package func record(_ instrument: Instrument) -> CandleRecord {
        CandleRecord(
            start: self.start, end: self.end, open: instrument.priceText(self.open),
            high: instrument.priceText(self.high), low: instrument.priceText(self.low),
            close: instrument.priceText(self.close), volume: instrument.sizeText(self.volume),
            quoteVolume: instrument.moneyText(self.money), trades: self.trades)
    }
}
