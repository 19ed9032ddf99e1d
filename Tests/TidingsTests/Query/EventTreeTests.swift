import Testing
import TidingsTestSupport

@testable import Tidings

@Suite(.timeLimit(.minutes(2))) struct EventTreeTests {
    /// An event named by a word, `at` milliseconds after a fixed moment.
    private func event(
        _ id: String, parent: String? = nil, correlation: String? = nil, at milliseconds: Int64 = 0,
        payload: Payload = .empty
    ) -> StandardEvent {
        StandardEvent(
            eventType: .custom, source: "test", payload: payload,
            timestamp: Timestamp(milliseconds: 1_700_000_000_000 + milliseconds), eventID: EventID(id),
            correlationID: correlation.flatMap { EventID($0) }, parentEventID: parent.flatMap { EventID($0) })
    }

    private func log(_ events: [StandardEvent], capacity: Int = 1_000_000) async throws -> MemoryEventLog {
        let log = MemoryEventLog(capacity: capacity)
        for batch in EventBatch.batches(of: events) { _ = try await log.append([EventSelection(batch)]) }
        return log
    }

    private func tree(
        _ id: String, in log: some EventReader, _ limits: EventTree.Limits = EventTree.Limits()
    ) async throws -> EventTree {
        let id = try #require(EventID(id))
        return try #require(try await EventTree.build(for: id, in: log, limits: limits))
    }

    /// `root(child(grandchild),child)`
    private func shape(_ tree: EventTree) -> String {
        var text = ""
        var depth = 0
        for (index, node) in tree.nodes.enumerated() {
            if index > 0 {
                if node.depth > depth {
                    text += "("
                } else {
                    text += String(repeating: ")", count: depth - node.depth) + ","
                }
            }
            text += node.event.eventID.description
            depth = node.depth
        }
        return text + String(repeating: ")", count: depth)
    }

    @Test func `the tree is the same whichever of its events is asked for`() async throws {
        let log = try await self.log([
            self.event("a"), self.event("other"), self.event("b", parent: "a", correlation: "a"),
            self.event("c", parent: "b", correlation: "a"), self.event("d", parent: "a", correlation: "a"),
            self.event("e", parent: "b", correlation: "a"), self.event("f", parent: "other", correlation: "other"),
        ])
        for id in ["a", "b", "c", "d", "e"] {
            let tree = try await self.tree(id, in: log)
            #expect(self.shape(tree) == "a(b(c,e),d)")
            #expect(tree.eventID == EventID(id))
            #expect(!tree.isIncomplete)
        }
        #expect(self.shape(try await self.tree("f", in: log)) == "other(f)")
    }

    @Test func `an event alone is its own tree, and one that is not there has none`() async throws {
        let log = try await self.log([self.event("a"), self.event("b")])
        let tree = try await self.tree("b", in: log)
        #expect(self.shape(tree) == "b")
        #expect(!tree.isIncomplete)
        #expect(try await EventTree.build(for: #require(EventID("nobody")), in: log) == nil)
    }

    @Test func `a missing parent makes the topmost known event the root`() async throws {
        let log = try await self.log([self.event("b", parent: "gone"), self.event("c", parent: "b")])
        for id in ["b", "c"] {
            let tree = try await self.tree(id, in: log)
            #expect(self.shape(tree) == "b(c)")
            #expect(tree.isIncomplete)
        }
    }

    @Test func `a child whose parent is missing hangs under the event that its correlation names`() async throws {
        // A step that never ended is in no log, but what happened in it is.
        let log = try await self.log([
            self.event("run"), self.event("x", parent: "step", correlation: "run"),
            self.event("y", parent: "x", correlation: "run"),
        ])
        for id in ["run", "x", "y"] {
            let tree = try await self.tree(id, in: log)
            #expect(self.shape(tree) == "run(x(y))")
            #expect(tree.isIncomplete)
        }
    }

    @Test func `an event that names only a correlation hangs under the event of that id, if it came later`()
        async throws
    {
        let log = try await self.log([
            self.event("early", correlation: "a"), self.event("a"), self.event("b", correlation: "a"),
            self.event("c", correlation: "no event"), self.event("d", correlation: "no event"),
        ])
        for id in ["a", "b"] {
            let tree = try await self.tree(id, in: log)
            #expect(self.shape(tree) == "a(b)")
            #expect(!tree.isIncomplete)
        }
        #expect(self.shape(try await self.tree("early", in: log)) == "early")
        #expect(self.shape(try await self.tree("c", in: log)) == "c")
    }

    @Test func `parents that form a circle end the climb`() async throws {
        let log = try await self.log([
            self.event("a", parent: "c", correlation: "a"), self.event("b", parent: "a", correlation: "a"),
            self.event("c", parent: "b", correlation: "a"), self.event("d", parent: "c", correlation: "a"),
        ])
        for (id, expected) in [("a", "b(c(a,d))"), ("b", "c(a(b),d)"), ("d", "a(b(c(d)))")] {
            let tree = try await self.tree(id, in: log)
            #expect(self.shape(tree) == expected)
            #expect(tree.isIncomplete)
        }
    }

    @Test func `an event that is its own parent is a root`() async throws {
        let log = try await self.log([
            self.event("a", parent: "a", correlation: "a"), self.event("b", parent: "a", correlation: "a"),
        ])
        for id in ["a", "b"] {
            let tree = try await self.tree(id, in: log)
            #expect(self.shape(tree) == "a(b)")
            #expect(tree.isIncomplete)
        }
    }

    @Test func `a parent may be logged after its children, and children come by offset`() async throws {
        let log = try await self.log([
            self.event("start"), self.event("found", parent: "step", correlation: "start"),
            self.event("field", parent: "step", correlation: "start"),
            self.event("early", parent: "start", correlation: "start"),
            self.event("step", parent: "start", correlation: "start"),
        ])
        let tree = try await self.tree("field", in: log)
        #expect(self.shape(tree) == "start(early,step(found,field))")
        #expect(tree.nodes.map(\.offset) == [1, 4, 5, 2, 3])
        #expect(!tree.isIncomplete)
    }

    @Test func `children with a correlation of their own are found near the tree, and so are theirs`() async throws {
        var events = [self.event("a"), self.event("b", parent: "a"), self.event("c", parent: "b")]
        events += (0..<2000).map { self.event("noise-\($0)", parent: "elsewhere") }
        events += [self.event("d", parent: "c"), self.event("far", parent: "d", correlation: "d")]
        let log = try await self.log(events)
        for id in ["a", "b", "c", "d", "far"] {
            let tree = try await self.tree(id, in: log)
            #expect(self.shape(tree) == "a(b(c(d(far))))")
            #expect(!tree.isIncomplete)
        }
    }

    @Test func `beyond its reach a child with a correlation of its own is not found, but one that shares it is`()
        async throws
    {
        var limits = EventTree.Limits()
        limits.reachForward = 100
        let log = try await self.log(
            [self.event("a"), self.event("b", parent: "a", correlation: "a")]
                + (0..<500).map { self.event("noise-\($0)") }
                + [
                    self.event("lost", parent: "b"), self.event("c", parent: "a", correlation: "a"),
                    self.event("d", parent: "c"), self.event("e", parent: "between", correlation: "a"),
                ] + (0..<500).map { self.event("more-\($0)") } + [self.event("between", parent: "a")])
        // `between` is not near and shares nothing, but something that shares names it.
        let tree = try await self.tree("b", in: log, limits)
        #expect(self.shape(tree) == "a(b(lost),c(d),between(e))")
        limits.reachBackward = 0
        #expect(self.shape(try await self.tree("b", in: log, limits)) == "a(b,c(d),between(e))")
    }

    @Test func `elapsed time is exact`() async throws {
        let start = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
        func at(_ id: String, _ nanoseconds: Int64) -> StandardEvent {
            var event = self.event(id, parent: id == "a" ? nil : "a", correlation: "a")
            event.timestamp = Timestamp(nanoseconds: nanoseconds)
            return event
        }
        let log = try await self.log([
            at("a", start.nanoseconds), at("b", start.nanoseconds + 12_400_000), at("c", start.nanoseconds + 1),
            at("d", start.nanoseconds - 1500), at("e", start.nanoseconds + 3_600_000_000_000),
            at("f", start.nanoseconds),
            at("g", .min),
        ])
        let tree = try await self.tree("a", in: log)
        #expect(
            tree.nodes.map(\.elapsedMs.description)
                == ["0", "12.4", "0.000001", "-0.0015", "3600000", "0", "-10923372036854775808e-6"])
        #expect(
            ExactDecimal(nanosecondsAsMs: Int128(Int64.max) - Int128(Int64.min)).description
                == "18446744073709551615e-6")
    }

    // MARK: Limits

    @Test func `a long chain is cut to the causes nearest to the event asked for`() async throws {
        let log = try await self.log(
            (0..<10_000).map { self.event("\($0)", parent: $0 > 0 ? "\($0 - 1)" : nil, correlation: "0") })
        let limits = EventTree.Limits()
        let last = try await self.tree("9999", in: log)
        #expect(last.isIncomplete)
        #expect(last.nodes.map(\.event.eventID.description) == (9999 - limits.ancestors...9999).map(String.init))
        let whole = try await self.tree("\(limits.ancestors)", in: log)
        #expect(whole.nodes.first?.event.eventID == EventID("0"))
        let first = try await self.tree("0", in: log)
        #expect(first.isIncomplete)
        #expect(first.nodes.map(\.event.eventID.description) == (0...limits.depth).map(String.init))
        let middle = try await self.tree("5000", in: log)
        #expect(middle.isIncomplete)
        #expect(middle.nodes.count == limits.depth + 1)
        #expect(middle.nodes[limits.ancestors].event.eventID == EventID("5000"))
    }

    @Test func `a chain may be as deep as its reader allows, and its JSON is read back`() async throws {
        var limits = EventTree.Limits()
        (limits.depth, limits.ancestors) = (20_000, 20_000)
        let log = try await self.log(
            (0..<10_000).map { self.event("\($0)", parent: $0 > 0 ? "\($0 - 1)" : nil, correlation: "0") })
        let tree = try await self.tree("9999", in: log, limits)
        #expect(tree.nodes.count == 10_000)
        #expect(!tree.isIncomplete)
        let again = try self.read(tree.json)
        #expect(again.nodes.map(\.depth) == Array(0..<10_000))
    }

    @Test func `a tree of more events than allowed is cut, and the event asked for is in it`() async throws {
        var events = [self.event("a")]
        events += (0..<12_000).map { self.event("\($0)", parent: "a", correlation: "a") }
        let log = try await self.log(events)
        for id in ["a", "11999"] {
            let tree = try await self.tree(id, in: log)
            #expect(tree.nodes.count == 10_000)
            #expect(tree.isIncomplete)
            #expect(tree.nodes.contains { $0.event.eventID == EventID(id) })
            #expect(tree.nodes.dropFirst().map(\.offset) == tree.nodes.dropFirst().map(\.offset).sorted())
        }
        let whole = try await self.log(Array(events.prefix(10_000)))
        let tree = try await self.tree("a", in: whole)
        #expect(tree.nodes.count == 10_000)
        #expect(!tree.isIncomplete)
    }

    @Test func `a tree of more bytes than allowed is cut`() async throws {
        var limits = EventTree.Limits()
        limits.byteCount = 20_000
        let text = String(repeating: "x", count: 1000)
        let log = try await self.log(
            [self.event("a")]
                + (0..<100).map {
                    self.event("\($0)", parent: "a", correlation: "a", payload: ["text": .string(text)])
                })
        let tree = try await self.tree("a", in: log, limits)
        #expect((10...19).contains(tree.nodes.count))
        #expect(tree.isIncomplete)
    }

    @Test func `a correlation that half of the log shares is read up to a limit`() async throws {
        var events = (0..<30_000).map { self.event("\($0)", correlation: "session") }
        events[20] = self.event("20", parent: "10", correlation: "session")
        let log = try await self.log(events)
        let tree = try await self.tree("20", in: log)
        #expect(self.shape(tree) == "10(20)")
        #expect(tree.isIncomplete)
    }

    // MARK: JSON

    private func read(_ json: String) throws -> EventTree {
        try json.withRawUTF8 { bytes throws(EventDecodingError) in try EventTree(json: bytes) }
    }

    @Test func `the JSON has the contract's keys in their order and is read back`() async throws {
        let log = try await self.log([
            self.event("a", payload: ["price": .number(#require(ExactDecimal("50000.00")))]),
            self.event("b", parent: "a", correlation: "a", at: 5),
            self.event("c", parent: "b", correlation: "a", at: 7),
            self.event("d", parent: "a", correlation: "a", at: 9),
        ])
        let tree = try await self.tree("c", in: log)
        let events = tree.nodes.map(\.event.json)
        #expect(
            tree.json == """
                {"event_id":"c","incomplete":false,"root":{"offset":1,"event":\(events[0]),"elapsed_ms":0,"children":[\
                {"offset":2,"event":\(events[1]),"elapsed_ms":5,"children":[\
                {"offset":3,"event":\(events[2]),"elapsed_ms":7,"children":[]}]},\
                {"offset":4,"event":\(events[3]),"elapsed_ms":9,"children":[]}]}}
                """)
        let again = try self.read(tree.json)
        #expect(again.json == tree.json)
        #expect(again.nodes.map(\.event) == tree.nodes.map(\.event))
    }

    @Test func `members in another order and unknown ones are no trouble`() throws {
        let event = self.event("a").json
        let tree = try self.read(
            """
            { "more": [1, {}], "root": {"children": [ {"elapsed_ms": 2, "event": \(event), "offset": 2, "x": null} ],
              "event": \(event), "elapsed_ms": 0, "offset": 1}, "incomplete": true, "event_id": "a" }
            """)
        #expect(tree.nodes.map(\.depth) == [0, 1])
        #expect(tree.nodes.map(\.offset) == [1, 2])
        #expect(tree.isIncomplete)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"event_id":"a"}"#, #"{"event_id":"a","root":{}}"#,
        #"{"event_id":"","root":{"offset":1}}"#,
        #"{"event_id":"a","root":{"offset":1,"elapsed_ms":0,"event":{}}}"#, #"{"event_id":"a","root":[]}"#,
        #"{"event_id":"a","root":{"offset":1.5,"elapsed_ms":0,"event":{"event_type":"a"}}}"#,
        #"{"event_id":"a","root":{"children":[{"children":[{"children":["#,
        #"{"event_id":"a","root":{"children":[1]}}"#,
    ])
    func `what is no tree is refused`(json: String) {
        #expect(throws: EventDecodingError.self) { try self.read(json) }
    }

    @Test func `nothing that a server answers traps`() async throws {
        let log = try await self.log([self.event("a"), self.event("b", parent: "a", correlation: "a")])
        let json = Array(try await self.tree("a", in: log).json.utf8)
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<3000 {
            var bytes = json
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(#"{}[]",:1"#.utf8.randomElement(using: &generator) ?? 0, at: place)
                }
            }
            _ = bytes.withUnsafeBytes { try? EventTree(json: $0) }
        }
    }

    @Test func `any parents whatsoever make a tree with the event asked for, and each event once`() async throws {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<300 {
            let count = Int.random(in: 1...20, using: &generator)
            func anyone() -> String { "\(Int.random(in: 0..<(count + 2), using: &generator))" }
            let events = (0..<count).map { number in
                self.event(
                    "\(number)", parent: Bool.random(using: &generator) ? anyone() : nil,
                    correlation: Bool.random(using: &generator) ? anyone() : nil)
            }
            let log = try await self.log(events)
            for number in 0..<count {
                let tree = try await self.tree("\(number)", in: log)
                let ids = tree.nodes.map(\.event.eventID)
                #expect(ids.contains(tree.eventID))
                #expect(Set(ids).count == ids.count)
                #expect(tree.nodes.first?.depth == 0)
                // Every event that names one of the tree as its parent is in it.
                for event in events where event.parentEventID.map(ids.contains) ?? false {
                    #expect(ids.contains(event.eventID))
                }
            }
        }
    }
}
