import Testing
import Tidings

@testable import TidingsCommand

@Suite struct TreePrinterTests {
    private func lines(_ printer: TreePrinter, _ count: Int, asked: Int = 0) async throws -> [String] {
        let log = MemoryEventLog()
        let text = String(repeating: "long ", count: 40)
        let events = (0..<count).map { number in
            StandardEvent(
                eventType: number == 2 ? "page.failed" : .custom, source: "s",
                payload: ["item": "i", "text": .string(text)],
                timestamp: Timestamp(milliseconds: 1_700_000_000_000), eventID: EventID("\(number)"),
                correlationID: EventID("0"), parentEventID: number > 0 ? EventID("\(number - 1)") : nil)
        }
        for batch in EventBatch.batches(of: events) { _ = try await log.append([EventSelection(batch)]) }
        let id = try #require(EventID("\(asked)"))
        return printer.lines(try #require(try await EventTree.build(for: id, in: log)))
    }

    @Test func `branches show what follows at every level`() {
        #expect(
            TreePrinter.branches([0, 1, 2, 2, 3, 1, 2, 3, 1, 2])
                == ["", "├─ ", "│  ├─ ", "│  └─ ", "│     └─ ", "├─ ", "│  └─ ", "│     └─ ", "└─ ", "   └─ "])
        #expect(TreePrinter.branches([0]) == [""])
        #expect(TreePrinter.branches([]) == [])
        #expect(TreePrinter.branches([0, 1, 2, 3]) == ["", "└─ ", "   └─ ", "      └─ "])
    }

    @Test(arguments: [
        ("0", "+0 ms"), ("0.000001", "+0 ms"), ("0.2134", "+0.213 ms"), ("1.005", "+1 ms"), ("9.994", "+9.99 ms"),
        ("9.999", "+10 ms"), ("12.4", "+12.4 ms"), ("999.949", "+999.9 ms"), ("999.96", "+1 s"), ("1240", "+1.24 s"),
        ("59994", "+59.99 s"), ("59995", "+1 min"), ("125000", "+2 min 5 s"), ("3599499", "+59 min 59 s"),
        ("3599500", "+1 h"), ("3720000", "+1 h 2 min"), ("86400000", "+1 d"), ("180000000", "+2 d 2 h"),
        ("-3.2", "-3.2 ms"), ("-10923372036854775808e-6", "-126427 d"), ("1e300", "+1e+300 ms"),
    ])
    func `times have the digits that a person wants`(milliseconds: String, expected: String) throws {
        #expect(TreePrinter.elapsed(try #require(ExactDecimal(milliseconds))).hasPrefix(expected))
    }

    @Test func `lines are cut to the width of a terminal, and only there`() async throws {
        let cut = try await self.lines(TreePrinter(width: 80), 5)
        #expect(cut.prefix(5).allSatisfy { $0.count <= 80 && $0.hasSuffix("…") })
        let whole = try await self.lines(TreePrinter(), 5)
        #expect(whole.prefix(5).allSatisfy { $0.count > 200 })
        #expect(!whole.contains { $0.contains("\u{1B}") })
    }

    @Test func `colours end where they begin, and what was asked for is bold`() async throws {
        let lines = try await self.lines(TreePrinter(isColoured: true), 4, asked: 1)
        #expect(lines.allSatisfy { $0.hasSuffix("\u{1B}[0m") })
        #expect(lines.map { $0.contains("\u{1B}[1m") } == [false, true, false, false, false])
        #expect(lines.map { $0.contains("\u{1B}[31m") } == [false, false, true, false, false])
        #expect(lines[1].contains("→"))
    }

    @Test func `a deep tree is drawn`() async throws {
        let lines = try await self.lines(TreePrinter(width: 100), 200)
        #expect(lines.count == 201)
        #expect(lines.last == "200 events within 0 ms of 2023-11-14T22:13:20.000Z")
    }
}
