import Testing
import Tidings

@Suite struct EventRoundTripTests {
    @Test(.timeLimit(.minutes(1)))
    func `an event that was written is read as the same event and written alike`() throws {
        var random = SeededGenerator(seed: 1)
        for round in 0..<3000 {
            let event = RandomEvents.event(&random)
            let json = event.json
            let read = try Reading.event(json)
            #expect(read == event, "round \(round): \(json)")
            #expect(read.json == json)
            #expect(read.timestamp.precision == event.timestamp.precision)
        }
    }

    @Test func `what anybody writes is written canonically once, and then no more changed`() throws {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<2000 {
            let payload = RandomJSON.object(&random, depth: 3)
            let other = RandomJSON.value(&random, depth: 2)
            let loose = RandomJSON.spread(
                #"{"other":OTHER,"event_type":"t","timestamp":NUMBER,"payload":PAYLOAD,"priority":"7"}"#
                    .replacing("OTHER", with: other).replacing("PAYLOAD", with: payload)
                    .replacing("NUMBER", with: String(random.below(2_000_000_000))),
                &random)
            let event = try Reading.event(loose)
            #expect(event.payload.description == payload)
            #expect(event.extra?.description == "{\"other\":\(other)}")
            #expect(try Reading.event(event.json).json == event.json)
        }
    }

    @Test func `any object survives byte for byte, but for white space between tokens`() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            let json = RandomJSON.object(&random, depth: 4)
            #expect(try JSONObject(json: RandomJSON.spread(json, &random)).description == json)
        }
    }

    @Test func `what is read member by member and put together again is the same`() throws {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<2000 {
            // Escapes that need not be are the one thing that is not kept on this way.
            let object = try JSONObject(json: RandomJSON.object(&random, depth: 3))
            let again = JSONObject(object.members.map { ($0.key, $0.value) })
            #expect(again == JSONObject(again.members.map { ($0.key, $0.value) }))
            #expect(again.members.map(\.value) == object.members.map(\.value))
        }
    }

    @Test func `typed payloads and the objects they are written as are equal`() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<1000 {
            let payload = RandomEvents.payload(&random)
            let object = Payload.object(try JSONObject(json: payload.description))
            #expect(payload == object)
            #expect(object.symbol == payload.symbol)
            #expect(object.venueSymbol == payload.venueSymbol)
            if let trade = payload.trade { #expect(object.trade == trade) }
            if let ticker = payload.ticker { #expect(object.ticker == ticker) }
            if let book = payload.orderBook { #expect(object.orderBook == book) }
            if let candle = payload.candle { #expect(object.candle == candle) }
        }
    }
}
