import Testing

@testable import Tidings

@Suite struct NameTests {
    @Test(arguments: [
        "BTC-USD", "", " ", "é", "日本", "a\"b\n", String(repeating: "n", count: 128), String(repeating: "n", count: 129),
    ])
    func `a name keeps its text`(text: String) {
        #expect(Name(text).description == text)
        #expect(Name(text) == Name(text))
        #expect(Name(text).hashValue == Name(text).hashValue)
        var writer = JSONWriter()
        writer.write(Name(text))
        #expect(writer.string() == JSONValue.string(text).description)
    }

    @Test func `names are told apart case and all, byte by byte`() {
        #expect(Name("btc") != Name("BTC"))
        #expect(Name("caf\u{E9}") != Name("cafe\u{301}"))
        let long = String(repeating: "x", count: 200)
        #expect(Name(long + "caf\u{E9}") != Name(long + "cafe\u{301}"))
        #expect(Name(long) == Name(long))
        #expect(Set([Name(long + "caf\u{E9}"), Name(long + "cafe\u{301}"), Name(long + "caf\u{E9}")]).count == 2)
    }

    @Test(arguments: [
        ("btc-usd", "BTC-USD"), ("Btc-Usd", "BTC-USD"), ("BTC-USD", "BTC-USD"), ("", ""), ("az09_z", "AZ09_Z"),
        ("straße", "STRAßE"), ("é", "é"), ("`{@[", "`{@["),
    ])
    func `folding makes the ASCII letters capitals and leaves the rest`(text: String, folded: String) {
        #expect(Name(text).folded == Name(folded))
        #expect(Name(text).folded.description == folded)
        #expect(Name(text).folded.folded == Name(folded))
        // Beyond what is interned it has to be the same.
        let long = String(repeating: "Q", count: 200)
        #expect(Name(long + text).folded == Name(long + folded))
    }
}
