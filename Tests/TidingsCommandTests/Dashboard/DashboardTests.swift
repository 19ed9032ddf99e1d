import Foundation
import Testing
import Tidings
import TidingsSQLite

/// The dashboard in a real browser, against the demo. Budget: 20 s.
@Suite(
    .serialized, .timeLimit(.minutes(3)),
    .enabled(if: Browser.path != nil, "no chromium is installed (Debian: apt-get install chromium)"))
struct DashboardTests {
    private static let views = ["now", "markets", "events", "dead-letters"]

    private static func withDemo(
        _ arguments: [String] = [], _ body: (Program, String) async throws -> Void
    ) async throws {
        let demo = try Program(["demo", "--quiet", "--listen", "127.0.0.1:0"] + arguments)
        do {
            try await body(demo, try await demo.address())
        } catch {
            demo.kill9()
            await demo.waitUntilEnded()
            throw error
        }
        demo.terminate()
        await demo.waitUntilEnded()
    }

    @Test func `each view shows its part of the demo, by its address, and the browser has no complaint`() async throws {
        try await Self.withDemo { _, address in
            try await Browser.with { browser in
                try await browser.open("http://\(address)/")
                try await browser.wait(for: "document.getElementById('state-text').textContent === 'Live'")
                try await browser.wait(for: "location.hash === '#/now' && document.title === 'Now · Tidings'")
                try await browser.wait(for: "Number(document.getElementById('rate').textContent) > 0")
                try await browser.wait(for: "document.querySelector('.card .state')?.dataset.mood === 'good'")
                try await browser.wait(for: "document.querySelectorAll('#prices tr').length === 3")

                // By the keyboard, as anybody may.
                try await browser.evaluate("document.getElementById('go-markets').focus()")
                try await browser.press("Enter", code: 13)
                try await browser.wait(for: "document.title === 'Markets · Tidings'")
                try await browser.wait(for: "document.activeElement.id === 'markets'")
                try await browser.wait(for: "document.querySelectorAll('#book-bids tr:not([hidden])').length > 3")
                try await browser.wait(for: "document.querySelectorAll('#tape tr:not([hidden])').length > 3")
                try await browser.wait(
                    for: "/ C [0-9]+[.][0-9]+ /.test(document.getElementById('candle-values').textContent)")
                try await browser.wait(for: "document.getElementById('book-spread').textContent !== '–'")
                try await browser.wait(
                    for:
                        "document.querySelector('#candle-chart canvas') || !document.getElementById('candles-note').hidden"
                )

                try await browser.open("http://\(address)/#/events?type=trade&symbol=BTC-USD")
                try await browser.wait(for: "document.querySelectorAll('#event-rows tr:not([hidden])').length > 3")
                let others = try await browser.evaluate(
                    "[...document.querySelectorAll('#event-rows tr:not([hidden]) .what')].filter((cell) => cell.textContent !== 'trade').length"
                )
                #expect(others == "0")

                try await browser.open("http://\(address)/#/dead-letters")
                try await browser.wait(for: "document.getElementById('letters-note').textContent.startsWith('None')")
                #expect(browser.complaints == [])
            }
        }
    }

    @Test func `a hostile payload is text in every view, and its trace and digits are the sender's`() async throws {
        try await Self.withDemo(["--store", "none"]) { _, address in
            let hostile = #"<img src=x onerror=\"window.hacked=1\"><script>window.hacked=2</script>"#
            let events = """
                [{"event_id":"root","event_type":"workflow.start","source":"s","payload":{"item":"\(hostile)","workflow":"\(hostile)"}},
                {"event_id":"child","parent_event_id":"root","event_type":"trade","source":"x","payload":{"symbol":"\(hostile)","price":50000.00,"volume":"\(hostile)","side":"\(hostile)","__proto__":{"hacked":1}}},
                {"event_id":"book","event_type":"order_book","source":"x","payload":{"symbol":"\(hostile)","kind":"\(hostile)","bids":[[50000.00,"\(hostile)"]],"asks":[[50000.1234567890123456789,1]],"bid":50000.00,"ask":50000.1234567890123456789}},
                {"event_id":"candle","event_type":"ohlcv","source":"x","payload":{"symbol":"\(hostile)","interval":"1m","open":1,"high":2,"low":1,"close":"\(hostile)","timestamp":"\(hostile)"}},
                {"event_id":"state","event_type":"connector_status","source":"x","payload":{"connector":"\(hostile)","state":"\(hostile)","reason":"\(hostile)"}}]
                """
            try await Browser.with { browser in
                try await browser.open("http://\(address)/#/now")
                try await browser.wait(for: "document.getElementById('state-text').textContent === 'Live'")
                let answer = try await request(
                    "http://\(address)/api/v1/events", method: "POST", contentType: "application/json",
                    body: Data(events.utf8))
                #expect(answer.status == 202, "\(answer.body)")
                try await browser.wait(for: "document.getElementById('prices').textContent.includes('onerror')")
                try await browser.wait(
                    for: "document.getElementById('connector-cards').textContent.includes('<script>')")
                try await browser.evaluate(
                    "[...document.querySelectorAll('#prices button')].find((one) => one.textContent.includes('onerror')).click()"
                )
                try await browser.wait(for: "document.title === 'Markets · Tidings'")
                try await browser.wait(for: "document.getElementById('market-bid').textContent === '50000.00'")
                // The difference of two decimals, digit for digit.
                try await browser.wait(
                    for: "document.getElementById('market-spread').textContent === '0.1234567890123456789'")
                try await browser.wait(for: "document.getElementById('tape').textContent.includes('onerror')")

                try await browser.open("http://\(address)/#/events?source=x&event=child")
                try await browser.wait(for: "document.getElementById('details').open")
                try await browser.wait(for: "document.querySelectorAll('#trace li').length === 2")
                #expect(
                    try await browser.evaluate(
                        "document.getElementById('details-json').textContent.includes('50000.00')") == "true")
                #expect(
                    try await browser.evaluate(
                        "document.querySelectorAll('main img, dialog pre img, main script').length") == "0")
                #expect(try await browser.evaluate("typeof window.hacked + typeof ({}).hacked") == "undefinedundefined")
                // No order book of that name with the server is an answer of 404, which the browser logs; nothing else.
                #expect(browser.complaints.filter { !$0.contains("/order-books/") && !$0.contains("/candles") } == [])
            }
        }
    }

    @Test func `after a restart of the server the page goes on without a gap, and says so`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "log.db").path
            var listen = ""
            try await Browser.with { browser in
                try await Self.withDemo(["--store", store]) { _, address in
                    listen = address
                    try await browser.open("http://\(address)/#/events")
                    try await browser.wait(
                        for: "document.querySelectorAll('#event-rows tr:not([hidden])').length >= 20")
                }
                try await browser.wait(for: "document.getElementById('state-text').textContent === 'Reconnecting'")
                let demo = try Program(["demo", "--quiet", "--listen", listen, "--store", store])
                _ = try await demo.address()
                try await browser.wait(
                    for: "document.getElementById('notices').textContent.includes('nothing was missed')", seconds: 30)
                try await browser.evaluate("document.getElementById('pause').click()")
                let offsets = try await browser.evaluate(
                    "[...document.querySelectorAll('#event-rows tr:not([hidden]) .offset')].map((cell) => cell.textContent).join()"
                )
                let numbers = offsets.split(separator: ",").compactMap { Int($0) }
                #expect(numbers.count >= 20)
                #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 == $1 + 1 }, "\(numbers)")
                demo.terminate()
                await demo.waitUntilEnded()
            }
        }
    }

    @Test func `a dead letter is read, cannot be retried without its handler, and is dropped at the second press`()
        async throws
    {
        try await withFolder { folder in
            let store = folder.appending(path: "log.db").path
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: store))
            let event = StandardEvent(
                eventType: "price_alert", source: "alerts",
                payload: ["symbol": "BTC-USD", "price": .number(ExactDecimal(mantissa: 5_000_000, scale: 2))],
                priority: .high, eventID: EventID(high: 2, low: 1))
            try await log.deadLetters.put(
                DeadLetter(
                    id: EventID(high: 1, low: 1), event: event, subscriber: "webhook", firstError: "first",
                    lastError: "<b>refused</b>", attempts: 5, firstFailedAt: Timestamp.now(),
                    lastFailedAt: Timestamp.now()))
            await log.close()
            try await Self.withDemo(["--store", store]) { _, address in
                try await Browser.with { browser in
                    let button = { (number: Int) in "document.querySelectorAll('#letters button')[\(number)]" }
                    try await browser.open("http://\(address)/#/dead-letters")
                    try await browser.wait(
                        for: "document.getElementById('letters').textContent.includes('<b>refused</b>')")
                    try await browser.wait(for: "document.getElementById('dead-count').textContent === '1'")
                    try await browser.evaluate("\(button(0)).click()")
                    try await browser.wait(
                        for: "document.getElementById('details-json').textContent.includes('50000.00')")
                    try await browser.evaluate("document.getElementById('details').close()")
                    try await browser.evaluate("\(button(1)).click()")
                    try await browser.wait(
                        for: "document.getElementById('letters').textContent.includes('Not done: ')")
                    try await browser.evaluate("\(button(2)).click()")
                    #expect(try await browser.evaluate("\(button(2)).textContent") == "Drop for good?")
                    try await browser.evaluate("\(button(2)).click()")
                    try await browser.wait(
                        for: "document.getElementById('letters-note').textContent.startsWith('One was dropped.')")
                }
                let left = try await request("http://\(address)/api/v1/dead-letters")
                #expect(left.body == #"{"dead_letters":[]}"#)
            }
        }
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil,
            "a minute of 5,000 events/s: set TIDINGS_LONG=1"))
    func `at 5,000 events a second the page stays smooth, small and fresh for a minute`() async throws {
        try await Self.withDemo(["--store", "none"]) { _, address in
            try await Browser.with { browser in
                try await browser.open("http://\(address)/#/now")
                try await browser.wait(for: "document.getElementById('state-text').textContent === 'Live'")
                let (frames, heaps, ages) = try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await Self.load(address, eventsPerSecond: 5000) }
                    // The price is the sender's clock: its age on screen is told by the page's own clock.
                    let row =
                        "[...document.querySelectorAll('#prices tr')].find((row) => row.textContent.includes('LOAD'))"
                    try await browser.wait(for: row)
                    try await browser.evaluate(
                        """
                        (() => {
                            const row = \(row);
                            window.seen = { frames: 0, ages: [], since: performance.now() };
                            const frame = () => { window.seen.frames += 1; requestAnimationFrame(frame); };
                            frame();
                            setInterval(() => {
                                window.seen.ages.push(Date.now() - Number(row.querySelector('.last span:last-child').textContent));
                            }, 100);
                        })()
                        """)
                    var heaps: [Double] = []
                    for _ in 0..<6 {
                        try await browser.evaluate("await new Promise((done) => setTimeout(done, 10_000))")
                        try await browser.call("HeapProfiler.collectGarbage")
                        heaps.append(Double(try await browser.evaluate("performance.memory.usedJSHeapSize")) ?? 0)
                    }
                    let frames = try await browser.evaluate(
                        "window.seen.frames / ((performance.now() - window.seen.since) / 1000)")
                    let ages = try await browser.evaluate("window.seen.ages.sort((a, b) => a - b).join()")
                    group.cancelAll()
                    return (Double(frames) ?? 0, heaps, ages.split(separator: ",").compactMap { Int($0) })
                }
                let typical = ages.isEmpty ? .max : ages[ages.count * 95 / 100]
                print("frames/s \(frames), heap \(heaps.map { Int($0) }), 95 % of prices younger than \(typical) ms")
                #expect(frames > 50)
                #expect((heaps.last ?? 0) < (heaps.first ?? 0) * 1.3 + 2_000_000)
                #expect(typical < 250)
            }
        }
    }

    /// Posts trades at an even pace until it is cancelled.
    private static func load(_ address: String, eventsPerSecond: Int) async throws {
        let clock = ContinuousClock()
        var next = clock.now
        while !Task.isCancelled {
            let now = Int(Date().timeIntervalSince1970 * 1000)
            let line =
                #"{"event_type":"trade","source":"load","payload":{"symbol":"LOAD","price":\#(now),"volume":1.5,"side":"buy"}}"#
            let body = Array(repeating: line, count: eventsPerSecond / 20).joined(separator: "\n")
            _ = try? await request(
                "http://\(address)/api/v1/events", method: "POST", contentType: "application/x-ndjson",
                body: Data(body.utf8))
            next = max(next.advanced(by: .milliseconds(50)), clock.now)
            try? await clock.sleep(until: next)
        }
    }

    @Test func `whatever can be operated has a name, and every view has its heading`() async throws {
        let operated: Set = ["button", "link", "textbox", "searchbox", "combobox", "image", "img", "dialog"]
        try await Self.withDemo { _, address in
            try await Browser.with(size: "420,900") { browser in
                for view in Self.views {
                    try await browser.open("http://\(address)/#/\(view)")
                    try await browser.wait(for: "document.getElementById('\(view)')?.hidden === false")
                    try await browser.wait(for: "document.getElementById('state-text').textContent === 'Live'")
                    let nodes = try await browser.call("Accessibility.getFullAXTree").nodes ?? []
                    let shown = nodes.filter { !$0.ignored }
                    #expect(shown.contains { $0.role?.value == "heading" })
                    #expect(shown.contains { $0.role?.value == "navigation" && $0.name?.value == "Views" })
                    for node in shown where operated.contains(node.role?.value ?? "") {
                        #expect(node.name?.value?.isEmpty == false, "\(view): \(node.role?.value ?? "") without a name")
                    }
                    // Nothing is wider than a phone.
                    let width = try await browser.evaluate("document.documentElement.scrollWidth - innerWidth")
                    #expect((Int(width) ?? 1) <= 0, "\(view) is \(width) px too wide")
                }
            }
        }
    }
}

extension Browser {
    /// A key, pressed and released.
    func press(_ key: String, code: Int) async throws {
        for kind in ["keyDown", "keyUp"] {
            try await self.call(
                "Input.dispatchKeyEvent",
                [
                    "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
                    "text": kind == "keyDown" ? "\r" : "",
                ])
        }
    }
}
