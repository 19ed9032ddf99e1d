/// One instrument of a generated market: a random walk, the book around it, and who trades against it.
package struct GeneratedInstrument: Sendable {
    /// A trade; prices and sizes in units of the instrument's last digits.
    package struct Fill: Equatable, Sendable {
        package var price: Int64
        package var size: Int64
        package var isBuy: Bool
        /// Milliseconds since 1970.
        package var time: Int64
        /// Below 2^50.
        package var id: UInt64
        /// One more than the fill before it.
        package var number: UInt64
        /// What makes the transaction's hash; fills of one order share it.
        package var hashSeed: UInt64
        /// Numbers of the traders, different ones.
        package var buyer: UInt64
        package var seller: UInt64
    }

    /// What is known beside price and book.
    package struct Context: Equatable, Sendable {
        /// An hour's funding rate, in units of 10^-10.
        package var funding: Int64 = 125_000
        /// Sum of all positions, in units of the size's last digit.
        package var openInterest: Int64
        /// Premium over the oracle's price, in units of 10^-10.
        package var premium: Int64 = 0
        package var oraclePrice: Int64
        package var previousDayPrice: Int64
        /// Traded in the last 24 hours: size, and money in units of price unit times size unit.
        package var dayVolume: Int64
        package var dayNotional: Double
    }

    package let instrument: Instrument
    package private(set) var book: GeneratedBook
    package private(set) var context: Context
    package private(set) var candles = GeneratedCandles()
    /// Of the last tick.
    package private(set) var fills: [Fill] = []
    /// Those before and in the last tick.
    package private(set) var tape = TradeTape()
    /// The last change of the book, and the book before it.
    package private(set) var change = GeneratedBookChange(first: 1, last: 1, bids: [], asks: [])
    package private(set) var previousBook: GeneratedBook
    /// Highest and lowest price so far.
    package private(set) var high: Int64
    package private(set) var low: Int64
    /// Where the price tends to, not rounded to ticks.
    private var drift: Double
    private var momentum = 0.0
    private var toldBest: (GeneratedBook.Level?, GeneratedBook.Level?)

    /// Up to 100 fills before and in the last tick, oldest first.
    package var recentFills: [Fill] { self.tape.last(100) }

    init(_ instrument: Instrument, time: Int64, random: inout SeededGenerator) {
        self.instrument = instrument
        let price = instrument.startPrice / instrument.tick * instrument.tick
        self.drift = Double(price)
        self.book = GeneratedBook(
            instrument: instrument, bid: price, ask: price + instrument.tick, random: &random)
        self.previousBook = self.book
        self.high = price
        self.low = price
        self.tape = TradeTape(next: UInt64(random.number(1_000_000...9_000_000)))
        self.change.last = UInt64(random.number(1_000_000_000...9_000_000_000))
        let daySize = instrument.usualSize * random.number(20_000...60_000)
        self.context = Context(
            openInterest: instrument.usualSize * random.number(20_000...30_000), oraclePrice: price,
            previousDayPrice: price - price / 1000 * random.number(-20...20), dayVolume: daySize,
            dayNotional: Double(daySize) * Double(price))
        // A little past, so that the first subscriber has something to see.
        for index in 0..<Int64(20) {
            self.trade(time: time - 20_000 + index * 1000, random: &random)
        }
        self.requote(random: &random)
        self.fills = []
        self.previousBook = self.book
    }

    /// Best bid and ask.
    package var best: (bid: GeneratedBook.Level, ask: GeneratedBook.Level)? {
        guard let bid = self.book.bids.first, let ask = self.book.asks.first else { return nil }
        return (bid, ask)
    }

    /// One step of time.
    mutating func step(time: Int64, seconds: Double, random: inout SeededGenerator) {
        self.fills.removeAll(keepingCapacity: true)
        // About 60 % volatility a year (the momentum adds up to fifty times its impulse), with a pull back to where it
        // began so that it never runs away.
        let price = Double(self.instrument.startPrice)
        self.momentum = self.momentum * 0.98 + random.normal() * price * 1.1e-4 * seconds.squareRoot() * 0.02
        self.drift += self.momentum - (self.drift - price) * 1e-6 * seconds
        self.drift = min(max(self.drift, price * 0.2), price * 5)
        if random.chance(self.instrument.tradeRate * seconds) { self.trade(time: time, random: &random) }
    }

    /// Orders come and go: the best prices follow the walk.
    mutating func requote(random: inout SeededGenerator) {
        let tick = self.instrument.tick
        let bid = max(tick * Int64(self.instrument.depth * 4), Int64(self.drift / Double(tick)) * tick)
        let spread: Int64 = random.chance(0.8) ? 1 : random.number(2...3)
        self.book.move(bid: bid, ask: bid + spread * tick, random: &random)
    }

    private mutating func trade(time: Int64, random: inout SeededGenerator) {
        let isBuy = random.chance(self.momentum > 0 ? 0.6 : 0.4)
        let factor = random.unit()
        let size = Double(self.instrument.usualSize) * (0.01 + 3 * factor * factor * factor * factor)
        let hashSeed = random.next()
        let taker = random.next() % 64
        for fill in self.book.fill(isBuy: isBuy, size: max(1, Int64(size))) {
            let maker = (taker + 1 + random.next() % 63) % 64
            let made = Fill(
                price: fill.price, size: fill.size, isBuy: isBuy, time: time, id: random.next() >> 14,
                number: self.tape.nextNumber, hashSeed: hashSeed, buyer: isBuy ? taker : maker,
                seller: isBuy ? maker : taker)
            self.fills.append(made)
            self.tape.append(made)
            self.high = max(self.high, made.price)
            self.low = min(self.low, made.price)
            self.candles.add(price: made.price, size: made.size, time: made.time)
            self.context.dayVolume += made.size
            self.context.dayNotional += Double(made.size) * Double(made.price)
        }
    }

    /// Puts a number on what changed in the book since this was called last.
    /// - Returns: whether anything did.
    mutating func takeBookChange(since before: GeneratedBook) -> Bool {
        guard before != self.book else { return false }
        let (bids, asks) = self.book.changes(from: before)
        guard !bids.isEmpty || !asks.isEmpty else { return false }
        self.previousBook = before
        let first = self.change.last + 1
        self.change = GeneratedBookChange(
            first: first, last: first + UInt64(bids.count + asks.count) - 1, bids: bids, asks: asks)
        return true
    }

    /// Lets funding, open interest and the oracle wander.
    mutating func refreshContext(random: inout SeededGenerator) {
        guard let best = self.best else { return }
        let middle = (best.bid.price + best.ask.price) / 2
        self.context.funding += Int64(random.normal() * 300) + (125_000 - self.context.funding) / 200
        self.context.openInterest = max(
            self.instrument.usualSize,
            self.context.openInterest + Int64(random.normal() * Double(self.instrument.usualSize)))
        self.context.oraclePrice += (middle - self.context.oraclePrice) / 3
        let oracle = max(self.context.oraclePrice, 1)
        self.context.premium = Int64(Double(middle - oracle) / Double(oracle) * 1e10)
    }

    /// Whether the best prices or sizes changed since this was asked last.
    mutating func takeBestChange() -> Bool {
        let best = (self.book.bids.first, self.book.asks.first)
        if best == self.toldBest { return false }
        self.toldBest = best
        return true
    }
}
