import Foundation
import Testing
import TidingsScraping

/// Nothing that is written as a selector, and no page, may end the process. About 2 s; a minute with `TIDINGS_LONG=1`.
@Suite struct SelectorFuzzTests {
    private static let seconds = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == nil ? 2.0 : 60.0

    private static let bits = [
        ":", "::", ".", "#", "[", "]", "(", ")", "*", ">", "+", "~", ",", " ", "\\", "\\31 ", "\"", "'", "|", "=", "^=",
        "i",
        "/*", "*/", "n", "2n+1", "-", "--", "odd", " of ", "not(", "is(", "has(", ":has-text(", ":nth-child(", "text=",
        "xpath=", "//", "@", " >> ", "nth=", "é", "\u{FFFD}", "div", "a", "..", "\n", "99999999999999999999", "\u{0}",
    ]

    @Test func `neither a broken selector nor a broken page traps`() async throws {
        let end = ContinuousClock.now + .seconds(Self.seconds)
        var random = SeededGenerator(seed: 3)
        var (rounds, good, found) = (0, 0, 0)
        var pages = try SamplePages.all.map { try HTMLDocument(text: $0) }
        while ContinuousClock.now < end {
            var text = random.below(3) == 0 ? SampleSelectors.random(&random) : random.pick(SampleSelectors.written)
            for _ in 0..<random.below(4) {
                let place = text.index(text.startIndex, offsetBy: random.below(text.count + 1))
                switch random.below(3) {
                case 0 where place < text.endIndex: text.remove(at: place)
                case 1: text = String(text[..<place])
                default: text.insert(contentsOf: random.pick(Self.bits), at: place)
                }
            }
            rounds += 1
            do throws(SelectorError) {
                let selector = try PageSelector(text)
                good += 1
                found += try random.pick(pages).select(selector).count
            } catch {
                #expect(!error.message.isEmpty)
                if let column = error.column { #expect(column >= 1 && column <= text.count + 1, "\(text): \(error)") }
            }
            if rounds % 50 == 0 { pages[pages.count - 1] = try Self.brokenPage(&random) }
            if rounds % 256 == 0 { await Task.yield() }
        }
        print("selectors: \(rounds) tried, \(good) understood, \(found) elements found")
        #expect(good > 100)
    }

    private static func brokenPage(_ random: inout SeededGenerator) throws -> HTMLDocument {
        var bytes = Array(random.pick(SamplePages.all).utf8)
        for _ in 0..<(1 + random.below(20)) {
            let place = random.below(bytes.count)
            switch random.below(3) {
            case 0: bytes[place] = UInt8(random.below(256))
            case 1: bytes.removeSubrange(place..<min(place + 1 + random.below(40), bytes.count))
            default:
                bytes.insert(
                    contentsOf: Array(random.pick(["<table>", "</p>", "<svg>", "<template>", "&#"]).utf8), at: place)
            }
            if bytes.isEmpty { break }
        }
        let contentType = random.pick([
            nil, "text/html; charset=utf-16", "text/html; charset=gbk", "text/html; charset=utf-8",
        ])
        do {
            let page = try HTMLDocument(bytes: bytes, contentType: contentType)
            #expect(try HTMLDocument(text: page.html).root != nil)
            return page
        } catch {
            return try HTMLDocument(text: "")
        }
    }
}
