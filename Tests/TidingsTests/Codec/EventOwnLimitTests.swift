import Testing
import Tidings

/// The limits on what our own code puts together.
@Suite struct EventOwnLimitTests {
    func nested(_ depth: Int) -> JSONObject {
        (1..<depth).reduce(JSONObject()) { inner, _ in ["a": .object(inner)] }
    }

    func event(_ payload: Payload) -> StandardEvent {
        StandardEvent(eventType: "t", source: "s", payload: payload)
    }

    @Test func `63 levels of payload are within the limit, 64 are not`() throws {
        #expect(self.nested(63).depth == 63)
        #expect(self.event(.object(self.nested(63))).limitProblem() == nil)
        let problem = try #require(self.event(.object(self.nested(64))).limitProblem())
        #expect(problem.description == "payload: nested deeper than 64")
        // And so says who reads it.
        #expect(Reading.refusal(of: self.event(.object(self.nested(63))).json) == nil)
        #expect(Reading.refusal(of: self.event(.object(self.nested(64))).json) != nil)
    }

    @Test func `lists count as objects do, and so do extra keys`() {
        let lists = (1..<64).reduce(JSONValue.null) { inner, _ in [inner] }
        #expect(JSONObject([("a", lists)]).depth == 64)
        #expect(self.event(["a": lists]).limitProblem() != nil)
        var event = self.event([:])
        event.extra = self.nested(64)
        #expect(event.limitProblem() == nil && Reading.refusal(of: event.json) == nil)
        event.extra = self.nested(65)
        #expect(event.limitProblem() != nil && Reading.refusal(of: event.json) != nil)
    }

    @Test func `an event of exactly the limit is within it and one of a byte more is not`() throws {
        func event(_ count: Int) -> StandardEvent {
            self.event(["x": .string(String(repeating: "a", count: count))])
        }
        let frame = event(0).json.utf8.count
        #expect(event((1 << 20) - frame).limitProblem() == nil)
        let problem = try #require(event((1 << 20) - frame + 1).limitProblem())
        #expect(problem.code == .tooLarge)
        #expect(problem.message == "the event has 1048577 bytes, the limit is 1048576")
    }

    @Test func `every event is as long as its limit says`() {
        var random = SeededGenerator(seed: 77)
        for _ in 0..<2000 {
            let event = RandomEvents.event(&random)
            let count = event.json.utf8.count
            #expect(event.limitProblem(maximumByteCount: count) == nil)
            #expect(event.limitProblem(maximumByteCount: count - 1)?.code == .tooLarge)
        }
    }

    @Test func `a book of many levels and a number of many digits are measured`() {
        let level = OrderBook.Level(price: ExactDecimal(mantissa: .max), volume: ExactDecimal(mantissa: .min))
        func book(_ count: Int) -> Payload {
            .orderBook(
                OrderBook(
                    symbol: "X", bids: Array(repeating: level, count: count), asks: [], bestBid: nil, bestAsk: nil))
        }
        #expect(self.event(book(20_000)).limitProblem() == nil)
        #expect(self.event(book(30_000)).limitProblem()?.code == .tooLarge)
        let long = ExactDecimal(String(repeating: "9", count: 1 << 20)) ?? .zero
        #expect(self.event(.trade(Trade(symbol: "X", price: long, volume: 1))).limitProblem()?.code == .tooLarge)
        #expect(self.event(.ticker(Ticker(symbol: "X", bid: long))).limitProblem()?.code == .tooLarge)
    }
}
