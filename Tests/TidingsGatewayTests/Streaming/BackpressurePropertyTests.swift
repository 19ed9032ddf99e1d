import Foundation
import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

/// Whatever a socket does, a client knows of every event that it did not get.
@Suite(.timeLimit(.minutes(5)))
struct BackpressurePropertyTests {
    private static let rounds = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == nil ? 60 : 3000

    private struct Mode: Sendable {
        var conflates = false
        var rate: Double?
        var bufferBytes = 16 << 10
    }

    private struct Outcome {
        var events: [StandardEvent]
        var messages: [TestSink.Message]
        var sentCount: UInt64
        var droppedCount: UInt64
    }

    /// Publishes at random to a client whose socket is full at random, then lets it have the rest.
    private static func run(_ mode: Mode, seed: UInt64, _ eventLoop: any EventLoop) throws -> Outcome {
        var random = HubRandom(seed: seed)
        let rig = HubRig(eventLoop, bufferBytes: mode.bufferBytes)
        let sink = TestSink()
        let client = rig.hub.add(sink, principal: .anyone)
        client.conflates = mode.conflates
        client.limitRate(mode.rate)
        client.subscribe([SubscriptionPair(symbol: "*", type: .all, sources: [])], after: nil)
        // Others come and go beside it, and one shares its group.
        let neighbour = rig.hub.add(TestSink(), principal: .anyone)
        neighbour.subscribe([SubscriptionPair(symbol: "*", type: .all, sources: [])], after: nil)
        for step in 0..<Int.random(in: 5...40, using: &random) {
            if Int.random(in: 0..<3, using: &random) == 0 {
                sink.isWritable.toggle()
                if sink.isWritable { client.becameWritable() }
            }
            if step == 3 { neighbour.ended() }
            rig.publish(
                (0..<Int.random(in: 1...90, using: &random)).map { _ in
                    StandardEvent(
                        eventType: .trade, source: "test",
                        payload: [
                            "symbol": .string("S\(Int.random(in: 0..<8, using: &random))"),
                            "x": .string(String(repeating: "x", count: Int.random(in: 0..<400, using: &random))),
                        ])
                })
        }
        sink.isWritable = true
        // Where a rate is kept the rest takes its time.
        let deadline = ContinuousClock.now + .seconds(10)
        var messages: [TestSink.Message] = []
        repeat {
            client.becameWritable()
            messages += try sink.takeMessages()
        } while client.waits && ContinuousClock.now < deadline
        #expect(sink.closed == nil)
        client.ended()
        #expect(rig.hub.census == StreamCensus())
        return Outcome(
            events: rig.published, messages: messages, sentCount: rig.mailbox.traffic.sent,
            droppedCount: rig.mailbox.counters.dropped)
    }

    /// Offsets rise, and a gap says after which of them it is.
    private static func read(_ outcome: Outcome, _ seed: UInt64) -> (received: [Int64], dropped: Int) {
        var received: [Int64] = []
        var dropped = 0
        for message in outcome.messages {
            switch message {
            case .event(let offset):
                #expect(offset > received.last ?? 0, "seed \(seed)")
                received.append(offset)
            case .gap(let count, let after):
                #expect(after == received.last ?? 0, "seed \(seed)")
                dropped += count
            }
        }
        return (received, dropped)
    }

    @Test(arguments: [nil, 200, 1e6] as [Double?])
    func `received and dropped are together what was sent`(_ rate: Double?) async throws {
        for seed in 0..<UInt64(Self.rounds) {
            let outcome = try await HubRig.run { try Self.run(Mode(rate: rate), seed: seed, $0) }
            let (received, dropped) = Self.read(outcome, seed)
            #expect(received.count + dropped == outcome.events.count, "seed \(seed)")
            #expect(outcome.droppedCount == UInt64(dropped), "seed \(seed)")
        }
    }

    @Test(arguments: [nil, 1000, 1e6] as [Double?])
    func `conflation loses nothing: each kind's newest arrives`(_ rate: Double?) async throws {
        for seed in 0..<UInt64(rate == 1000 ? Self.rounds / 4 : Self.rounds) {
            let mode = Mode(conflates: true, rate: rate, bufferBytes: 1 << 20)
            let outcome = try await HubRig.run { try Self.run(mode, seed: seed, $0) }
            let (received, dropped) = Self.read(outcome, seed)
            #expect(dropped == 0, "seed \(seed)")
            let got = Set(received)
            var newer = Set<ConflationQueue.Key>()
            for (index, event) in outcome.events.enumerated().reversed() {
                let key = ConflationQueue.Key(event)
                if !got.contains(Int64(index + 1)) { #expect(newer.contains(key), "seed \(seed), event \(index + 1)") }
                newer.insert(key)
            }
        }
    }

    @Test func `conflation without room for one more kind drops and says so`() async throws {
        for seed in 0..<UInt64(Self.rounds) {
            let mode = Mode(conflates: true, bufferBytes: 2000)
            let outcome = try await HubRig.run { try Self.run(mode, seed: seed, $0) }
            let (received, dropped) = Self.read(outcome, seed)
            #expect(outcome.droppedCount == UInt64(dropped), "seed \(seed)")
            // What is neither here nor lost has been replaced by a newer one of its kind.
            let got = Set(received)
            var newer = Set<ConflationQueue.Key>()
            var missing = 0
            for (index, event) in outcome.events.enumerated().reversed() {
                let key = ConflationQueue.Key(event)
                if got.contains(Int64(index + 1)) { newer.insert(key) } else if !newer.contains(key) { missing += 1 }
            }
            #expect(missing <= dropped, "seed \(seed)")
        }
    }
}
