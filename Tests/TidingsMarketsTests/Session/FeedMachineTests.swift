import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct FeedMachineTests {
    private static func moment(_ milliseconds: Int64) -> FeedMoment {
        FeedMoment(
            wall: Timestamp(nanoseconds: 1_800_000_000_000_000_000 + milliseconds * 1_000_000),
            monotonic: milliseconds * 1_000_000)
    }

    /// A machine of two symbols' trades and books whose first connection is open.
    private func machine(
        _ venue: PracticeVenue = PracticeVenue(), kind: OrderBook.Kind = .snapshot
    ) -> FeedMachine {
        var machine = FeedMachine(
            source: "practice", symbols: ["AAA", "BBB"], limits: venue.limits, staleAfter: .seconds(30), life: nil,
            maximumStall: .seconds(10))
        let plan = FeedPlan(
            instruments: ["AAA", "BBB"].map { PracticeVenue.instrument($0) }, channels: [.trade, .orderBook],
            book: BookPlan(kind: kind))
        machine.begin(venue.makeSession(plan), plan)
        #expect(machine.takeActions() == [.open(1)])
        machine.opened(1, at: Self.moment(0), chance: 0)
        return machine
    }

    private func say(_ frames: [String], _ machine: inout FeedMachine, on number: Int = 1, at time: Int64 = 0) {
        for frame in frames {
            var frame = frame
            frame.withUTF8 {
                machine.received(UnsafeRawBufferPointer($0), on: number, at: Self.moment(time))
            }
        }
        machine.readCompleted(at: Self.moment(time))
    }

    private func states(_ machine: inout FeedMachine) -> [String] {
        machine.takePending().compactMap { event in
            guard event.eventType == .connectorStatus, let state = event.payload["state"]?.string else { return nil }
            return state + (event.payload["symbol"]?.string.map { " \($0)" } ?? "")
        }
    }

    private let acknowledgments = ["AAA-USD", "BBB-USD"].flatMap { ["ack \($0) trade", "ack \($0) order_book"] }

    @Test func `a symbol is subscribed once all its streams are, and the connection once all symbols are`() {
        var machine = self.machine()
        #expect(machine.takeActions().count == 4)
        #expect(self.states(&machine) == ["connecting", "connected"])
        self.say(["ack AAA-USD trade"], &machine)
        #expect(self.states(&machine) == [])
        self.say(["ack AAA-USD order_book"], &machine)
        #expect(self.states(&machine) == ["subscribed AAA-USD"])
        #expect(machine.health.state == .connected)
        self.say(["ack AAA-USD trade", "ack BBB-USD trade", "ack BBB-USD order_book"], &machine)
        #expect(self.states(&machine) == ["subscribed BBB-USD", "subscribed"])
        #expect(machine.health.state == .subscribed)
    }

    @Test func `while two connections overlap what both bring is published once, and symbols keep their state`() {
        var machine = self.machine()
        self.say(self.acknowledgments, &machine)
        self.say(["trade AAA-USD 1", "planned because"], &machine)
        #expect(machine.takeActions().last == .open(2))
        _ = machine.takePending()
        machine.opened(2, at: Self.moment(100), chance: 0)
        self.say(["trade AAA-USD 2"], &machine, on: 1)
        self.say(["trade AAA-USD 2", "trade AAA-USD 3"], &machine, on: 2)
        self.say(["trade AAA-USD 3"], &machine, on: 1)
        self.say(self.acknowledgments, &machine, on: 2)
        let actions = machine.takeActions()
        #expect(actions.last == .close(1))
        let events = machine.takePending()
        #expect(events.compactMap { $0.payload.trade?.tradeID?.description } == ["2", "3"])
        #expect(events.count { $0.eventType == .connectorStatus } == 1)
        machine.ended(1, ConnectionFailure("closed with 1000"), at: Self.moment(200), chance: 0)
        #expect(machine.takePending().isEmpty)
        #expect(machine.takeActions().isEmpty)
        #expect(machine.health.reconnects == 1)
    }

    @Test func `while the bus is full no time passes, and what waits is kept in order`() {
        var machine = self.machine()
        self.say(self.acknowledgments, &machine)
        _ = machine.takePending()
        self.say(["trade AAA-USD 1", "trade AAA-USD 2"], &machine)
        let waiting = machine.takePending()
        #expect(machine.keep(waiting[1...], at: Self.moment(0)) == true)
        for time in stride(from: Int64(100), to: 100_000, by: 100) {
            machine.tick(at: Self.moment(time), reads: [1: 1])
        }
        #expect(machine.pending.map { $0.payload.trade?.tradeID?.description } == ["2"])
        // Nobody was silent, nothing is dead.
        machine.stalledSince = nil
        machine.tick(at: Self.moment(100_000), reads: [1: 1])
        #expect(machine.pending.count == 1)
        #expect(machine.takeActions().allSatisfy { if case .send = $0 { true } else { false } })
    }

    @Test(arguments: [OrderBook.Kind.snapshot, .delta])
    func `dropped events are told, and only deltas need a new book`(kind: OrderBook.Kind) {
        var machine = self.machine(kind: kind)
        self.say(self.acknowledgments, &machine)
        _ = machine.takePending()
        _ = machine.takeActions()
        self.say(["book BBB-USD 1", "trade AAA-USD 1"], &machine)
        let first = machine.takePending()
        #expect(machine.keep(first[...], at: Self.moment(0)) == true)
        let again = machine.takePending()
        #expect(machine.keep(again[...], at: Self.moment(10_000)) == false)
        #expect(machine.health.dropped == 2)
        #expect(machine.pending.map { $0.payload["error_code"]?.string } == ["SEQUENCE_GAP"])
        let expected: [FeedMachine.Action] = [.send("resubscribe BBB-USD order_book", on: 1)]
        #expect(machine.takeActions() == (kind == .delta ? expected : []))
    }

    @Test func `a connection that brings nothing is dropped once, one that only pongs is not`() {
        var venue = PracticeVenue()
        venue.limits.silence = .seconds(5)
        var machine = self.machine(venue)
        _ = machine.takeActions()
        for second in 1...20 { machine.tick(at: Self.moment(Int64(second) * 1000), reads: [1: second]) }
        #expect(machine.takeActions().isEmpty)
        for second in 21...25 { machine.tick(at: Self.moment(Int64(second) * 1000), reads: [1: 20]) }
        #expect(machine.takeActions() == [.abort(1)])
        machine.tick(at: Self.moment(25_100), reads: [1: 20])
        #expect(machine.takeActions().isEmpty)
    }

    @Test func `without a connection no stream is stale`() {
        var machine = self.machine()
        _ = machine.takeActions()
        var failure = ConnectionFailure("Rate limit exceeded")
        failure.retryAfter = .seconds(3600)
        machine.ended(1, failure, at: Self.moment(0), chance: 0)
        _ = machine.takePending()
        for second in 1..<3600 { machine.tick(at: Self.moment(Int64(second) * 1000), reads: [:]) }
        #expect(machine.takePending().isEmpty)
        machine.tick(at: Self.moment(3_600_000), reads: [:])
        #expect(machine.takeActions() == [.open(2)])
    }

    @Test
    func `whatever is answered, asked for and ended in whatever order, nothing traps and every request is counted`() {
        var random = SystemRandomNumberGenerator()
        let words =
            self.acknowledgments + [
                "trade AAA-USD 5", "trade AAA-USD 9", "book BBB-USD 2", "planned x", "useless x", "resync AAA-USD",
                "whole AAA-USD", "ask 40", "say 3", "nonsense", "ack ZZZ trade", "",
            ]
        for _ in 0..<300 {
            var machine = self.machine()
            var (out, connecting, open): ([VenueRequest], [Int], [Int]) = ([], [], [1])
            for step in 1...60 {
                let now = Self.moment(Int64(step) * Int64.random(in: 100...1000, using: &random))
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    guard let number = open.randomElement(), let word = words.randomElement() else { continue }
                    self.say([word], &machine, on: number, at: now.monotonic / 1_000_000)
                case 2: machine.tick(at: now, reads: [:])
                case 3:
                    guard let request = out.popLast() else { continue }
                    machine.answered(.failure(status: 500, reason: "no"), to: request, at: now)
                case 4:
                    guard let number = connecting.popLast() else { continue }
                    open.append(number)
                    machine.opened(number, at: now, chance: 0.5)
                default:
                    guard let number = open.popLast() else { continue }
                    machine.ended(number, ConnectionFailure("gone"), at: now, chance: 0.5)
                }
                for action in machine.takeActions() {
                    switch action {
                    case .request(let request): out.append(request)
                    case .open(let number): connecting.append(number)
                    case .close(let number), .abort(let number):
                        guard open.contains(number) else { continue }
                        open.removeAll { $0 == number }
                        machine.ended(number, ConnectionFailure("closed"), at: now, chance: 0.5)
                    case .send: break
                    }
                }
                #expect(machine.requestsOut == out.count && out.count <= machine.requestLimit)
                #expect(machine.links.count <= 3)
                _ = machine.takePending()
            }
        }
    }
}
