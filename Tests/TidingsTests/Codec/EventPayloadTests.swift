import Testing
import Tidings

@Suite struct EventPayloadTests {
    @Test(arguments: [
        (#"{ "b" : 1 , "a" : [ 1 , 2 ] }"#, #"{"b":1,"a":[1,2]}"#),
        ("{\n\t\"a\":\r\n\"x\" }", #"{"a":"x"}"#),
        (#"{"a b":" c \n d "}"#, #"{"a b":" c \n d "}"#),
        (#"{"q":"\" , \\","r": "\\"}"#, #"{"q":"\" , \\","r":"\\"}"#),
        (#"{"z":1,"a":2,"z":3}"#, #"{"z":1,"a":2,"z":3}"#),
        (#"{"u":"\u0041\u00e9\uD83D\uDE00\/"}"#, #"{"u":"\u0041\u00e9\uD83D\uDE00\/"}"#),
        (#"{"lone":"\ud800 \udc00"}"#, #"{"lone":"\ud800 \udc00"}"#),
        (#"{"é":"日本","😀":{}}"#, #"{"é":"日本","😀":{}}"#),
        (#"{"":{"":""}}"#, #"{"":{"":""}}"#),
        ("{ }", "{}"),
    ])
    func `a payload is kept byte for byte but for white space between tokens`(given: String, kept: String) throws {
        let event = try Reading.event(with: "\"payload\": \(given) ")
        #expect(event.payload.description == kept)
        #expect(event.json.contains("\"payload\":\(kept),"))
    }

    @Test func `an event without a payload has an empty one`() throws {
        #expect(try Reading.event(#"{"event_type":"t"}"#).json.contains(#""payload":{}"#))
    }

    @Test func `the symbol is found whatever the spelling of its key, and the last one counts`() throws {
        #expect(try Reading.event(with: #""payload":{"s\u0079mbol":"BTC-USD"}"#).symbol == "BTC-USD")
        #expect(try Reading.event(with: #""payload":{"symbol":"BTC\u002dUSD"}"#).symbol == "BTC-USD")
        #expect(try Reading.event(with: #""payload":{"symbol":"A","symbol":"B"}"#).symbol == "B")
        #expect(try Reading.event(with: #""payload":{"symbol":"A","symbol":5}"#).symbol == nil)
        #expect(try Reading.event(with: #""payload":{"symbol":"A","symbol":null}"#).symbol == nil)
        #expect(try Reading.event(with: #""payload":{"symbol":["A"]}"#).symbol == nil)
        #expect(try Reading.event(with: #""payload":{"inner":{"symbol":"A"}}"#).symbol == nil)
    }

    @Test func `a member of a payload is found by its name, the last of several`() throws {
        let payload = try Reading.event(with: #""payload":{"a":1,"b":{"a":2},"\u0061":3}"#).payload
        #expect(payload["a"]?.int == 3)
        #expect(payload["b"]?.object?["a"]?.int == 2)
        #expect(payload["c"] == nil)
    }
}
