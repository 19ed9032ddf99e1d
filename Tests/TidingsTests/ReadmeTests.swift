import Foundation
import Testing
import Tidings

/// The README's example, run as it stands there.
@Suite struct ReadmeTests {
    @Test func `the example of the README does what its comments say`() async throws {
        // README example starts
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)

        // React to what happens: by type, or by pattern.
        try bus.subscribe(to: .trade) { event in
            guard let trade = event.payload.trade else { return }
            print("\(trade.symbol) traded at \(trade.price)")
        }
        try bus.subscribe(to: "login.*") { event in print(event.summary) }

        // Say what happens: a scraper emits, a collector publishes and waits until the log has it.
        let emitter = EventEmitter(source: "books", bus: bus)
        emitter.emit("extraction.complete", ["item": "9780141439518", "fields_found": ["title", "price"]])
        let trade = StandardEvent.create(
            eventType: .trade, source: "hyperliquid",
            payload: ["symbol": "BTC-USD", "price": 50000.5, "volume": 1.5])
        let result = try await bus.publish(trade)  // .accepted(offset: 2)

        // Live it again, from any offset, by any filter.
        for logged in try await log.read(LogQuery(filter: EventFilter(symbols: ["btc-usd"]))) {
            print(logged.offset, try logged.event().summary)
        }
        await bus.stop()
        // README example ends
        #expect(result == .accepted(offset: 2))
        #expect(bus.statistics.delivered == 1)
    }

    @Test func `the README shows exactly the code that is tested here`() throws {
        let here = URL(filePath: #filePath)
        let source = try String(contentsOf: here, encoding: .utf8)
        let readme = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "README.md")
        let parts = source.components(separatedBy: "\n        // README " + "example ")
        let code = try #require(parts.count == 3 ? parts[1] : nil)
            .components(separatedBy: "\n").dropFirst()
            .map { $0.hasPrefix("        ") ? String($0.dropFirst(8)) : $0 }
            .joined(separator: "\n")
        let text = try String(contentsOf: readme, encoding: .utf8)
        #expect(text.contains(code.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
}
