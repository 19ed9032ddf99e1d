import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

struct StreamGroupsTests {
    private static let symbols = ["BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD", "ADA-USD"]
    private static let types: [EventType] = ["trade", "ticker", "login.success", "login.failed"]
    private static let patterns: [EventTypePattern] = [
        .exact("trade"), .exact("ticker"), .all, "login.*",
        "*.failed",
    ]
    private static let sources: [Name] = ["kraken", "binance", "books"]

    private static func event(_ random: inout some RandomNumberGenerator) -> StandardEvent {
        var payload: [(String, JSONValue)] = []
        if Bool.random(using: &random) {
            payload.append(("symbol", .string(Self.symbols.randomElement(using: &random) ?? "")))
        }
        if Bool.random(using: &random) { payload.append(("venue_symbol", .string("btc-usd"))) }
        if Bool.random(using: &random) {
            payload.append(("item", .string("item\(Int.random(in: 0..<3, using: &random))")))
        }
        return StandardEvent(
            eventType: Self.types.randomElement(using: &random) ?? .trade,
            source: Self.sources.randomElement(using: &random) ?? "x", payload: .object(JSONObject(payload)),
            timestamp: Timestamp(nanoseconds: Int64.random(in: 0..<10, using: &random), precision: .nanoseconds),
            correlationID: EventID("c\(Int.random(in: 0..<3, using: &random))"))
    }

    private static func interest(_ random: inout some RandomNumberGenerator) -> StreamInterest {
        func some<Value>(_ values: [Value], _ random: inout some RandomNumberGenerator) -> [Value] {
            Bool.random(using: &random)
                ? []
                : (0..<Int.random(in: 1...2, using: &random)).map { _ in
                    values.randomElement(using: &random) ?? values[0]
                }
        }
        if Bool.random(using: &random) {
            let pairs = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                SubscriptionPair(
                    symbol: Bool.random(using: &random) ? "*" : Self.symbols.randomElement(using: &random) ?? "*",
                    type: Self.patterns.randomElement(using: &random) ?? .all, sources: some(Self.sources, &random))
            }
            return .pairs(Set(pairs))
        }
        return .filter(
            EventFilter(
                types: some(Self.patterns, &random), symbols: some(Self.symbols + ["*"], &random),
                sources: some(Self.sources, &random), items: some(["item0", "item1"], &random),
                correlationID: Int.random(in: 0..<4, using: &random) == 0 ? EventID("c1") : nil,
                since: Int.random(in: 0..<4, using: &random) == 0
                    ? Timestamp(nanoseconds: 3, precision: .nanoseconds) : nil))
    }

    @Test func `every group gets exactly the events that it wants, while others come and go`() async throws {
        try await HubRig.run { eventLoop in
            let rig = HubRig(eventLoop)
            var random = HubRandom(seed: 5)
            var groups = StreamGroups()
            var members: [(client: StreamClient, group: StreamGroup, interest: StreamInterest)] = []
            for round in 0..<600 {
                if members.count < 40 || (members.count < 80 && Bool.random(using: &random)) {
                    let client = rig.hub.add(TestSink(), principal: .anyone)
                    let interest = Self.interest(&random)
                    members.append((client, groups.add(client, interest: interest), interest))
                } else {
                    let gone = members.remove(at: Int.random(in: 0..<members.count, using: &random))
                    groups.remove(gone.client, from: gone.group)
                }
                let events = (0..<Int.random(in: 1...6, using: &random)).map { _ in Self.event(&random) }
                let turn = StreamTurn(
                    [CommittedBatch(EventSelection(EventBatch(events)), firstOffset: 1)], FrameCompressor())
                let touched = groups.distribute(turn)
                #expect(Set(touched.map { ObjectIdentifier($0) }).count == touched.count)
                for member in members {
                    let matcher = InterestMatcher(member.interest)
                    let wanted = events.indices.filter { matcher.matches(events[$0]) }
                    #expect(member.group.runs.flatMap { Array($0) } == wanted, "round \(round), \(member.interest)")
                    #expect(touched.contains { $0 === member.group } == !wanted.isEmpty)
                }
                for group in touched { group.endTurn() }
            }
            for member in members { groups.remove(member.client, from: member.group) }
            #expect(groups.isEmpty)
        }
    }

    @Test func `a group of thousands is left in one go`() async throws {
        let time = try await HubRig.run { eventLoop in
            let rig = HubRig(eventLoop)
            var groups = StreamGroups()
            let clients = (0..<20_000).map { _ in rig.hub.add(TestSink(), principal: .anyone) }
            let interest = StreamInterest.filter(.all)
            var group: StreamGroup?
            for client in clients { group = groups.add(client, interest: interest) }
            let start = ContinuousClock.now
            for client in clients { if let group { groups.remove(client, from: group) } }
            #expect(groups.isEmpty)
            return ContinuousClock.now - start
        }
        // Looking for each in what is left would be 200 million comparisons.
        #expect(time < .seconds(1))
    }

    /// Nanoseconds that one event takes to find its groups, with so many of them, one of which comes and goes each time.
    private static func cost(filters: Int) async throws -> Double {
        try await HubRig.run { eventLoop in
            let rig = HubRig(eventLoop)
            var groups = StreamGroups()
            for number in 0..<filters {
                let pair = SubscriptionPair(symbol: "S\(number)", type: .exact(.trade), sources: [])
                _ = groups.add(rig.hub.add(TestSink(), principal: .anyone), interest: .pairs([pair]))
                _ = groups.add(
                    rig.hub.add(TestSink(), principal: .anyone),
                    interest: .filter(EventFilter(items: ["item\(number)"])))
            }
            let events = (0..<64).map { number in
                StandardEvent(
                    eventType: .trade, source: "kraken",
                    payload: ["symbol": .string("S\(number % 10)"), "item": .string("item\(number % 10)")])
            }
            let passing = rig.hub.add(TestSink(), principal: .anyone)
            let turn = StreamTurn(
                [CommittedBatch(EventSelection(EventBatch(events)), firstOffset: 1)], FrameCompressor())
            func round(_ number: Int) {
                let pair = SubscriptionPair(symbol: "S\(number % filters)", type: .all, sources: [])
                let group = groups.add(passing, interest: .pairs([pair]))
                for touched in groups.distribute(turn) { touched.endTurn() }
                groups.remove(passing, from: group)
            }
            for number in 0..<20 { round(number) }
            let start = ContinuousClock.now
            for number in 0..<100 { round(number) }
            return (ContinuousClock.now - start) / .nanoseconds(1) / 6400
        }
    }

    @Test func `an event costs the same with ten filters and with ten thousand, while others come and go`() async throws
    {
        let few = try await Self.cost(filters: 10)
        let many = try await Self.cost(filters: 10_000)
        print("finding an event's groups: \(Int(few)) ns with 10 filters, \(Int(many)) ns with 10,000")
        #expect(many < few * 4)
    }
}
