import Testing
import Tidings

@Suite struct EventTypePatternTests {
    static let table: [(pattern: String, matches: [String], others: [String])] = [
        ("trade", ["trade"], ["trades", "trad", "Trade", "trade.x", "x.trade"]),
        ("*", ["trade", "login.success", "a.b.c", ".", ":"], []),
        (
            "login.*", ["login.success", "login.a.b", "login.a.b.c"],
            ["login", "logins.success", "xlogin.a", "LOGIN.a", "login:a"]
        ),
        ("login.a.*", ["login.a.b", "login.a.b.c"], ["login.a", "login.ab", "login.b.a"]),
        ("a.*.c", ["a.b.c", "a.x-y.c"], ["a.c", "a.b.b.c", "a.b", "a.b.c.d", "x.b.c", "a.b.d"]),
        (
            "*.error", ["extraction.error", "workflow.error"],
            ["error", "a.b.error", "extraction.errors", "extraction.start"]
        ),
        ("a.*.c.*", ["a.b.c.d", "a.b.c.d.e"], ["a.b.c", "a.b.b.c.d", "a.c.d"]),
        ("*.*", ["a.b", "a.b.c"], ["a"]),
        ("*.b.*", ["a.b.c", "a.b.c.d"], ["a.b", "b.c", "a.x.c"]),
        ("a.*.*.d", ["a.b.c.d"], ["a.b.d", "a.b.c.c.d"]),
        ("a.b", ["a.b"], ["a", "a.b.c", "a.c"]),
    ]

    @Test(arguments: table)
    func `a pattern matches what it says and nothing else`(pattern: String, matches: [String], others: [String]) throws
    {
        let parsed = try #require(EventTypePattern(pattern))
        #expect(parsed.text == pattern && parsed.description == pattern)
        for type in matches { #expect(parsed.matches(EventType(rawValue: type)), "\(pattern) has to match \(type)") }
        for type in others { #expect(!parsed.matches(EventType(rawValue: type)), "\(pattern) may not match \(type)") }
    }

    @Test(arguments: ["", "a b", "a*", "*a", "a.*b", "a.b*", "**", "a.**", "é", "é.*", "a/b.*", "login.* ", "a,b"])
    func `a text that is no pattern is refused`(text: String) {
        #expect(EventTypePattern(text) == nil)
    }

    @Test func `a pattern may be as long as a type and no longer`() {
        #expect(EventTypePattern(String(repeating: "a", count: 128)) != nil)
        #expect(EventTypePattern(String(repeating: "a", count: 129)) == nil)
        #expect(EventTypePattern(String(repeating: "a", count: 126) + ".*") != nil)
        #expect(EventTypePattern(String(repeating: "a", count: 127) + ".*") == nil)
    }

    @Test func `only an exact pattern names its one type`() {
        #expect(EventTypePattern.init("trade")?.exactType == .trade)
        #expect(EventTypePattern.exact(.ticker).exactType == .ticker)
        #expect(EventTypePattern.init("*")?.exactType == nil)
        #expect(EventTypePattern.init("login.*")?.exactType == nil)
        #expect(EventTypePattern.init("*") == .all)
    }

    @Test func `a pattern judges every type of the vocabulary as a plain reading of the rule does`() throws {
        var random = SeededGenerator(seed: 60)
        let parts = ["a", "b", "c", "*"]
        for _ in 0..<3000 {
            let pattern = (0...random.below(4)).map { _ in random.pick(parts) }
            let type = (0...random.below(4)).map { _ in random.pick(["a", "b", "c"]) }
            let parsed = try #require(EventTypePattern(pattern.joined(separator: ".")))
            let isOpen = pattern.last == "*"
            let fixed = isOpen ? Array(pattern.dropLast()) : pattern
            let fits = isOpen ? type.count > fixed.count : type.count == fixed.count
            let expected = fits && zip(fixed, type).allSatisfy { $0 == "*" || $0 == $1 }
            let verdict = parsed.matches(EventType(rawValue: type.joined(separator: ".")))
            #expect(verdict == expected, "\(pattern) on \(type)")
        }
    }
}
