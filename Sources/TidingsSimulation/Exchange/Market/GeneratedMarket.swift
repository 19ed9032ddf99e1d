/// A believable market out of a seed: the same seed and the same start give the same events, on any machine.
///
/// A plain value: a copy goes on from where it was taken, exactly as the original does.
package struct GeneratedMarket: Sendable {
    /// How much time a step takes, in milliseconds.
    package static let stepMilliseconds: Int64 = 50

    package private(set) var instruments: [GeneratedInstrument]
    /// When the market began, in milliseconds since 1970.
    package let start: Int64
    /// Steps made so far.
    package private(set) var steps: Int64 = 0
    /// After so many steps nothing happens any more.
    private let end: Int64
    private var random: SeededGenerator

    /// - Parameter duration: how long it lasts, in its own time.
    package init(instruments: [Instrument], seed: UInt64, start: Int64, duration: Duration? = nil) {
        self.end = duration.map { max(0, $0.wholeNanoseconds / (Self.stepMilliseconds * 1_000_000)) } ?? .max
        var random = SeededGenerator(seed: seed)
        self.instruments = instruments.map { GeneratedInstrument($0, time: start, random: &random) }
        self.start = start
        self.random = random
    }

    /// The market's time, in milliseconds since 1970.
    package var time: Int64 { self.start + self.steps * Self.stepMilliseconds }

    /// The market's own time at which the next step is due, in nanoseconds from its start; `nil` after its end.
    package var nextOffset: Int64? {
        self.steps < self.end ? (self.steps + 1) * Self.stepMilliseconds * 1_000_000 : nil
    }

    package func index(of symbol: String) -> Int? {
        self.instruments.firstIndex { $0.instrument.symbol == symbol }
    }

    /// Goes on by one step.
    /// - Returns: what happened, in order.
    package mutating func step() -> [MarketEvent] {
        self.steps += 1
        var events: [MarketEvent] = []
        let seconds = Double(Self.stepMilliseconds) / 1000
        for index in self.instruments.indices {
            // The instruments take turns, so that not everything comes in one burst.
            let turn = self.steps + Int64(index) * 7
            let before = self.instruments[index].book
            self.instruments[index].step(time: self.time, seconds: seconds, random: &self.random)
            if turn % 4 == 0 || turn % 11 == 0 { self.instruments[index].requote(random: &self.random) }
            if !self.instruments[index].fills.isEmpty { events += [.trades(index), .candles(index)] }
            if self.instruments[index].takeBookChange(since: before) { events.append(.bookChange(index)) }
            if turn % 11 == 0 { events.append(.book(index)) }
            if turn % 4 == 2, self.instruments[index].takeBestChange() { events.append(.best(index)) }
            if turn % 20 == 0 {
                self.instruments[index].refreshContext(random: &self.random)
                events.append(.context(index))
            }
        }
        if self.time / 1000 != (self.time - Self.stepMilliseconds) / 1000 {
            for index in self.instruments.indices { events.append(.second(index)) }
        }
        if self.steps % 20 == 10 { events.append(.mids) }
        return events
    }
}
