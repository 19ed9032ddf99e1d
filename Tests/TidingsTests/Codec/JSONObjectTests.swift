import Testing
import Tidings

@Suite struct JSONObjectTests {
    @Test func `an object built in code is written as it was given`() {
        let object: JSONObject = [
            "text": "a\"b\\c\n\u{1}é/", "number": 5, "decimal": .number(ExactDecimal("50000.00")!), "yes": true,
            "none": nil, "list": [1, "x", [2]], "object": ["b": 1, "a": 2],
        ]
        #expect(
            object.description
                == #"{"text":"a\"b\\c\n\u0001é/","number":5,"decimal":50000.00,"yes":true,"none":null,"#
                + #""list":[1,"x",[2]],"object":{"b":1,"a":2}}"#)
        #expect(object["text"]?.string == "a\"b\\c\n\u{1}é/")
        #expect(object["list"]?.array?.last?.array?.first?.int == 2)
        #expect(object["none"] == .null)
        #expect(object["missing"] == nil)
        #expect(object.members.map(\.key) == ["text", "number", "decimal", "yes", "none", "list", "object"])
    }

    @Test(arguments: ["[]", "1", "", "{", "{}x", "{\"a\":NaN}", "null"])
    func `what is no object is refused`(json: String) {
        #expect(throws: EventDecodingError.self) { try JSONObject(json: json) }
    }

    @Test func `white space goes and everything else stays`() throws {
        let object = try JSONObject(json: " { \"a\" : [ 1 , \" x \" ] , \"\\u0061\" : 1.50 } ")
        #expect(object.description == #"{"a":[1," x "],"\u0061":1.50}"#)
        #expect(object["a"]?.number?.description == "1.50")
    }

    @Test func `equality is that of the compact text`() throws {
        #expect(try JSONObject(json: #"{"a": 1}"#) == JSONObject(json: #"{"a":1}"#))
        #expect(try JSONObject(json: #"{"a":1}"#) != JSONObject(json: #"{"a":1.0}"#))
        #expect(try JSONObject(json: #"{"a":1,"b":2}"#) != JSONObject(json: #"{"b":2,"a":1}"#))
        #expect(Set([try JSONObject(json: "{ }"), [:], JSONObject()]).count == 1)
        #expect(JSONObject().isEmpty)
    }

    @Test func `a member is set in its place, added at the end, or taken out`() throws {
        let object: JSONObject = ["a": 1, "b": 2]
        #expect(object.setting("a", to: 3).description == #"{"a":3,"b":2}"#)
        #expect(object.setting("c", to: "x").description == #"{"a":1,"b":2,"c":"x"}"#)
        #expect(object.setting("a", to: nil).description == #"{"b":2}"#)
        #expect(object.setting("zz", to: nil) == object)
        #expect(try JSONObject(json: #"{"a":1,"a":2}"#).setting("a", to: 3).description == #"{"a":1,"a":3}"#)
        #expect(try JSONObject(json: #"{"a":1,"b":0,"a":2}"#).setting("a", to: nil).description == #"{"b":0}"#)
        #expect(JSONObject().setting("symbol", to: "X").symbol == "X")
        #expect(try JSONObject(json: #"{"symbol":"X"}"#).setting("symbol", to: nil).symbol == nil)
    }

    @Test func `keys are told apart byte by byte`() {
        let object = JSONObject([("caf\u{E9}", 1), ("cafe\u{301}", 2)])
        #expect(object["caf\u{E9}"]?.int == 1)
        #expect(object["cafe\u{301}"]?.int == 2)
        #expect(object.setting("caf\u{E9}", to: nil)["cafe\u{301}"]?.int == 2)
    }

    @Test func `what our own code nests deeper than the limit can still be read by it`() throws {
        let deepest = try JSONObject(
            json: String(repeating: "{\"a\":", count: 63) + "{}" + String(repeating: "}", count: 63))
        let wrapped: JSONObject = ["before": 1, "details": .object(deepest), "list": [[.object(deepest)]], "after": 2]
        #expect(wrapped["after"]?.int == 2)
        #expect(wrapped["details"]?.object == deepest)
        #expect(wrapped["list"]?.array?.first?.array?.first?.object == deepest)
    }

    @Test(arguments: [
        (#""\u0041\u00e9\u20ac\ud83d\ude00""#, "Aé€😀"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\ud800""#, "\u{FFFD}"), (#""\udc00x""#, "\u{FFFD}x"), (#""\ud800\ud83d\ude00""#, "\u{FFFD}😀"),
        (#""\ud800\n""#, "\u{FFFD}\n"), (#""\ud800A""#, "\u{FFFD}A"), (#""\u0000""#, "\u{0}"),
    ])
    func `escapes are resolved, a surrogate without its partner to U+FFFD`(json: String, text: String) throws {
        #expect(try JSONObject(json: "{\"a\":\(json)}")["a"]?.string == text)
    }

    @Test func `every text survives being written and read`() throws {
        var random = SeededGenerator(seed: 42)
        for _ in 0..<2000 {
            let text = RandomJSON.text(&random)
            let object: JSONObject = ["k": .string(text)]
            #expect(object["k"]?.string.map { Array($0.utf8) } == Array(text.utf8))
            #expect(try JSONObject(json: object.description) == object)
        }
    }
}
