import Synchronization
import Testing

@testable import Tidings

@Suite struct IngressChainTests {
    private func event(_ payload: String) throws -> StandardEvent { try .foreign(payload) }

    private static let trade = StandardEvent(
        eventType: .trade, source: "test", payload: .trade(Trade(symbol: "BTC-USD", price: 1, volume: 2)))

    // MARK: Screening

    @Test func `a batch with nothing to change gets no verdict`() throws {
        let chain = IngressChain()
        #expect(chain.screen([Self.trade, try self.event(#"{"a":1}"#)]) == nil)
        #expect(!chain.hasProcessors)
        #expect(chain.transform([Self.trade], fresh: 1) == nil)
    }

    @Test func `secrets are replaced in their places`() throws {
        let events = [Self.trade, try self.event(#"{"secret":1}"#), try self.event(#"{"a":1}"#)]
        let verdict = try #require(IngressChain().screen(events))
        #expect(verdict.refused == 0 && Array(verdict.replacements.keys) == [1])
        let changed = verdict.apply(to: events)
        #expect(changed[0] == events[0] && changed[2] == events[2])
        #expect(changed[1].payload.description == #"{"secret":"[redacted]"}"#)
    }

    @Test func `places outside the mask are not looked at`() throws {
        let events = [try self.event(#"{"secret":1}"#), try self.event(#"{"secret":2}"#)]
        #expect(IngressChain().screen(events, mask: 0b10)?.replacements.keys.sorted() == [1])
    }

    @Test func `redaction can be turned off, the limits stay`() throws {
        let chain = IngressChain(redaction: nil, limits: IngressLimits(maximumByteCount: 20, maximumDepth: 3))
        #expect(chain.screen([try self.event(#"{"secret":1}"#)]) == nil)
        #expect(chain.screen([try self.event(#"{"a":"bbbbbbbbbbbbbbbbbbbb"}"#)])?.refused == 1)
        #expect(chain.screen([try self.event(#"{"a":{"b":[]}}"#)])?.refused == 1)
        #expect(chain.screen([try self.event(#"{"a":{"b":1}}"#)]) == nil)
        #expect(chain.redact(text: "password=x") == "password=x")
    }

    private static func nested(_ depth: Int, _ innermost: String = "1") -> JSONObject {
        let text = String(repeating: #"{"a":"#, count: depth) + innermost + String(repeating: "}", count: depth)
        return text.withRawUTF8 { JSONObject(compact: $0, names: JSONObject.Names(), depth: depth) }
    }

    @Test func `an event nested deeper than 64 is refused, its field named, and told of`() throws {
        let chain = IngressChain()
        let fits = StandardEvent(eventType: .custom, source: "test", payload: .object(Self.nested(63)))
        #expect(chain.screen([fits]) == nil)
        // What is taken can be read back.
        #expect(try StandardEvent(json: fits.json, defaults: EventDecodingDefaults(source: "x")) == fits)
        let deep = StandardEvent(eventType: .custom, source: "deep", payload: .object(Self.nested(64)))
        let verdict = try #require(chain.screen([fits, deep]))
        let rejection = try #require(verdict.rejections.first)
        #expect(verdict.refused == 0b10 && rejection.index == 1 && rejection.field == "payload")
        #expect(verdict.refusals[1] == EventBusError(.refused, "payload: is nested deeper than 64"))
        let report = try #require(rejection.report)
        #expect(report.eventType == .error && report.priority == .critical)
        #expect(report.payload["error_code"] == "VALIDATION" && report.correlationID == deep.correlationID)
        #expect(report.payload["details"]?.object?["event_id"]?.string == deep.eventID.description)
        #expect(report.parentEventID == nil)
    }

    @Test func `extra keys count for the limits`() throws {
        var event = Self.trade
        event.extra = Self.nested(65)
        #expect(IngressChain().screen([event])?.refused == 1)
        event.extra = Self.nested(64)
        #expect(IngressChain().screen([event]) == nil)
        event.extra = ["a": .string(String(repeating: "x", count: 1 << 20))]
        #expect(IngressChain().screen([event])?.refusals[0]?.message.hasPrefix("payload: has 10485") == true)
    }

    @Test func `an event over 1 MiB is refused`() throws {
        let big = StandardEvent(
            eventType: .custom, source: "test", payload: ["a": .string(String(repeating: "x", count: 1 << 20))])
        let message = IngressChain().screen([big])?.refusals[0]?.message
        #expect(message == "payload: has 1048584 bytes, the limit is 1048576")
    }

    @Test func `what is too deep only inside a secret is taken without it`() throws {
        let event = StandardEvent(
            eventType: .custom, source: "test", payload: ["secret": .object(Self.nested(100)), "a": 1])
        let verdict = try #require(IngressChain().screen([event]))
        #expect(verdict.refused == 0)
        #expect(verdict.replacements[0]?.payload.description == #"{"secret":"[redacted]","a":1}"#)
    }

    @Test func `a rejected error event is not reported by another`() throws {
        let deep = StandardEvent(eventType: .error, source: "test", payload: .object(Self.nested(64)))
        let rejection = try #require(IngressChain().screen([deep])?.rejections.first)
        #expect(rejection.report == nil)
    }

    // MARK: Transforming

    /// Lets every second event through, changed.
    private struct EverySecond: IngressProcessor {
        var seen = 0

        mutating func process(_ event: StandardEvent) throws -> StandardEvent? {
            self.seen += 1
            guard self.seen % 2 == 0 else { return nil }
            var event = event
            event.payload = ["seen": .number(ExactDecimal(self.seen))]
            return event
        }
    }

    @Test func `a stateful processor sees fresh events once, in order`() throws {
        let chain = IngressChain(processors: [EverySecond()])
        #expect(chain.hasProcessors)
        let events = (0..<5).map { StandardEvent.sample($0) }
        let verdict = try #require(chain.transform(events, fresh: 0b11011))
        #expect(verdict.refused == 0b01001)
        #expect(
            verdict.refusals[0]?.code == .filtered
                && verdict.refusals[0]?.message == "EverySecond filtered the event out")
        #expect(verdict.rejections.allSatisfy { $0.report == nil })
        #expect(verdict.replacements[1]?.payload["seen"] == 2 && verdict.replacements[4]?.payload["seen"] == 4)
    }

    @Test func `a replaced event says when and how long it was processed, one that passes does not`() throws {
        struct Rename: IngressProcessor {
            func process(_ event: StandardEvent) -> StandardEvent? {
                var event = event
                if event.number == 1 { event.source = "renamed" }
                return event
            }
        }
        let chain = IngressChain(processors: [Rename()])
        let verdict = try #require(chain.transform([.sample(0), .sample(1)], fresh: 0b11))
        #expect(verdict.replacements.keys.sorted() == [1] && verdict.refused == 0)
        let renamed = try #require(verdict.replacements[1])
        #expect(renamed.source == "renamed" && renamed.processedAt != nil && renamed.processingTimeMs != nil)
        #expect(chain.transform([.sample(0)], fresh: 1) == nil)
    }

    @Test func `an order book that passes is not written out to be compared`() throws {
        struct Same: IngressProcessor {
            func process(_ event: StandardEvent) -> StandardEvent? { event }
        }
        let book = OrderBook(symbol: "A", bids: [], asks: [], bestBid: nil, bestAsk: nil)
        let event = StandardEvent(eventType: .orderBook, source: "test", payload: .orderBook(book))
        #expect(IngressChain(processors: [Same()]).transform([event, Self.trade], fresh: 0b11) == nil)
    }

    private struct Thrown: Error, CustomStringConvertible {
        var description: String { "cannot reach https://u:hunter2@host, password=hunter2" }
    }

    private struct Throwing: IngressProcessor {
        let name = "thrower"
        func process(_ event: StandardEvent) throws -> StandardEvent? { throw Thrown() }
    }

    @Test func `what a processor throws refuses the event, without the secrets it quotes`() throws {
        let verdict = try #require(IngressChain(processors: [Throwing()]).transform([Self.trade], fresh: 1))
        let message = "thrower: cannot reach https://[redacted]@host, password=[redacted]"
        #expect(verdict.refusals[0] == EventBusError(.refused, message))
        let report = try #require(verdict.rejections[0].report)
        #expect(report.payload["error_code"] == "HANDLER" && report.payload["message"]?.string == message)
        #expect(report.payload["details"]?.object?["processor"] == "thrower")
    }

    @Test func `one processor's result goes to the next, and nil ends it`() throws {
        struct Append: IngressProcessor {
            let text: String
            func process(_ event: StandardEvent) -> StandardEvent? {
                var event = event
                event.payload = ["t": .string((event.payload["t"]?.string ?? "") + self.text)]
                return event
            }
        }
        struct Nothing: IngressProcessor {
            func process(_ event: StandardEvent) -> StandardEvent? { nil }
        }
        let chain = IngressChain(processors: [Append(text: "a")])
        chain.attach(Append(text: "b"))
        #expect(chain.transform([.sample()], fresh: 1)?.replacements[0]?.payload["t"] == "ab")
        chain.attach(Nothing())
        chain.attach(Throwing())
        #expect(chain.transform([.sample()], fresh: 1)?.refusals[0]?.code == .filtered)
        #expect(chain.detach("Nothing") && !chain.detach("Nothing"))
        #expect(chain.transform([.sample()], fresh: 1)?.refusals[0]?.code == .refused)
        #expect(chain.detach("thrower") && chain.detach("Append") && !chain.hasProcessors)
    }

    @Test func `a new event in the place of another has its correlation and a reproducible identifier`() throws {
        struct Replace: IngressProcessor {
            func process(_ event: StandardEvent) -> StandardEvent? {
                StandardEvent(eventType: "replaced", source: "r", payload: .empty)
            }
        }
        let input = StandardEvent.sample()
        let results = try (0..<2).map { _ in
            try #require(IngressChain(processors: [Replace()]).transform([input], fresh: 1)?.replacements[0])
        }
        #expect(results[0].eventID == results[1].eventID && results[0].eventID != input.eventID)
        #expect(results[0].correlationID == input.correlationID && results[0].parentEventID == nil)
    }

    @Test func `a processor that publishes from inside is told so instead of waiting for itself`() throws {
        struct Reentrant: IngressProcessor {
            let chain: Locked<IngressChain?>
            func process(_ event: StandardEvent) throws -> StandardEvent? {
                let chain = self.chain.withLock { $0 }
                let verdict = chain?.transform([event], fresh: 1)
                if let error = verdict?.refusals[0] { throw error }
                return event
            }
        }
        let place = Locked<IngressChain?>(nil)
        let chain = IngressChain(processors: [Reentrant(chain: place)])
        place.withLock { $0 = chain }
        let message = chain.transform([.sample()], fresh: 1)?.refusals[0]?.message
        #expect(message?.contains("published while processing") == true)
        place.withLock { $0 = nil }
    }

    @Test func `an asynchronous processor that never suspends works at ingress`() throws {
        struct Asynchronous: Processor {
            func process(_ event: StandardEvent) async throws -> StandardEvent? {
                if event.number == 2 { await Task.yield() }
                return event.number == 1 ? nil : event
            }
        }
        let chain = IngressChain()
        chain.attach(Asynchronous())
        let verdict = try #require(chain.transform([.sample(0), .sample(1), .sample(2)], fresh: 0b111))
        #expect(verdict.refused == 0b110 && verdict.replacements.isEmpty)
        #expect(verdict.refusals[1]?.code == .filtered)
        #expect(verdict.refusals[2]?.message.contains("Asynchronous suspended at ingress") == true)
    }

    @Test func `calls are serialised, from however many threads they come`() async throws {
        struct Count: IngressProcessor {
            var count = 0
            let last: Locked<Int>
            mutating func process(_ event: StandardEvent) -> StandardEvent? {
                self.count += 1
                self.last.withLock { [count] in $0 = count }
                return event
            }
        }
        let last = Locked(0)
        let chain = IngressChain(processors: [Count(last: last)])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for number in 0..<500 { _ = chain.transform([.sample(number)], fresh: 1) } }
            }
        }
        #expect(last.withLock { $0 } == 4000)
    }
}

extension IngressChain {
    func screen(_ events: [StandardEvent], mask: UInt64 = .max) -> IngressVerdict? {
        events.withUnsafeBufferPointer { self.screen($0, mask: mask) }
    }

    func transform(_ events: [StandardEvent], fresh: UInt64) -> IngressVerdict? {
        events.withUnsafeBufferPointer { self.transform($0, fresh: fresh) }
    }
}
