import NIOCore
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(2)), .serialized)
struct BackpressureTests {
    /// About 1 KB each, so that sockets fill.
    private func publish(_ range: ClosedRange<Int>, _ gateway: GatewayHarness, symbols: Int = 1) async throws {
        let filler = String(repeating: "x", count: 1000)
        for start in stride(from: range.lowerBound, through: range.upperBound, by: 64) {
            let events = (start...min(start + 63, range.upperBound)).map { number in
                StandardEvent(
                    eventType: .custom, source: "test",
                    payload: [
                        "symbol": .string("S\(number % symbols)"),
                        "n": .number(ExactDecimal(integerLiteral: Int64(number))), "x": .string(filler),
                    ])
            }
            _ = try await gateway.bus.publish(EventBatch(events))
        }
    }

    @Test func `a client that stops reading hinders nobody and is closed with 4008`() async throws {
        try await GatewayHarness.run {
            $0.limits.clientBufferBytes = 256 << 10
            $0.slowClientGrace = .milliseconds(300)
            $0.stopTimeout = .seconds(20)
        } _: { gateway in
            let stalled = try await gateway.socket()
            _ = try await stalled.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            let healthy = try await gateway.socket()
            _ = try await healthy.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            try await stalled.connection().pauseReading()
            var published = 0
            while gateway.gateway.streamStatistics.closedAsSlow == 0 {
                try await self.publish(published + 1...published + 500, gateway)
                #expect(try await healthy.offsets(500) == (published + 1...published + 500).map { Int64($0) })
                published += 500
            }
            try await stalled.connection().resumeReading()
            #expect(try await stalled.closure().code.rawValue == 4008)
            #expect(try await stalled.closure().reason.hasPrefix("too slow, resume after "))
            #expect(try await healthy.ask(#"{"action":"ping"}"#) == #"{"type":"pong"}"#)
        }
    }

    @Test func `a client that comes back in time is told what it lost`() async throws {
        try await GatewayHarness.run {
            $0.limits.clientBufferBytes = 256 << 10
            $0.slowClientGrace = .seconds(60)
        } _: { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            try await socket.connection().pauseReading()
            var published = 0
            while gateway.gateway.streamStatistics.dropped == 0 {
                try await self.publish(published + 1...published + 1000, gateway)
                published += 1000
            }
            try await socket.connection().resumeReading()
            var received: [Int] = []
            var dropped = 0
            while received.count + dropped < published {
                let next = try await socket.next()
                let message = try #require(next)
                if message["type"]?.string == "gap" {
                    #expect(message["after"]?.int == received.last)
                    dropped += message["dropped"]?.int ?? 0
                } else {
                    received.append(message["offset"]?.int ?? 0)
                }
            }
            #expect(dropped > 0)
            #expect(received == received.sorted())
            try await self.publish(published + 1...published + 3, gateway)
            #expect(try await socket.offsets(3) == (published + 1...published + 3).map { Int64($0) })
        }
    }

    @Test func `a client that asked for it gets only the newest of each kind`() async throws {
        try await GatewayHarness.run {
            $0.limits.clientBufferBytes = 256 << 10
        } _: { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"conflate":true}"#)
            try await socket.connection().pauseReading()
            let total = 40_000
            try await self.publish(1...total, gateway, symbols: 10)
            try await eventually("everything has gone out") { gateway.gateway.streamStatistics.position == total }
            #expect(gateway.gateway.streamStatistics.dropped == 0)
            try await socket.connection().resumeReading()
            var newest: [String: Int] = [:]
            var last = 0
            while newest.count < 10 || newest.values.min() ?? 0 <= total - 10 {
                let next = try await socket.next()
                let message = try #require(next)
                #expect(message["type"]?.string == "event")
                let offset = message["offset"]?.int ?? 0
                #expect(offset > last)
                last = offset
                newest[message["data"]?.object?["payload"]?.object?["symbol"]?.string ?? ""] = offset
            }
            #expect(Set(newest.values) == Set(total - 9...total))
            #expect(try await socket.ask(#"{"action":"ping"}"#) == #"{"type":"pong"}"#)
        }
    }

    @Test func `a rate is kept, and what goes beyond it reported`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"max_rate":20}"#)
            let started = ContinuousClock.now
            try await gateway.publishTrades(1...100)
            #expect(try await socket.offsets(1) == [1])
            let next = try await socket.next()
            let gap = try #require(next)
            #expect(gap.description == #"{"type":"gap","dropped":99,"after":1}"#)
            #expect(ContinuousClock.now - started >= .milliseconds(40))
            try await gateway.publishTrades(101...101)
            #expect(try await socket.offsets(1) == [101])
        }
    }

    @Test func `a rate with conflation delivers the newest, in time`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"max_rate":20,"conflate":true}"#)
            let started = ContinuousClock.now
            try await gateway.publishTrades(1...50)
            try await gateway.publishTrades(1...50, symbol: "ETH-USD")
            try await gateway.publishTrades(1...50, symbol: "SOL-USD")
            var offsets: [Int64] = []
            while offsets.last != 150 { offsets += try await socket.offsets(1) }
            #expect(offsets == offsets.sorted())
            #expect(offsets.contains(100) || offsets.contains(50))
            #expect(offsets.count < 10)
            #expect(ContinuousClock.now - started >= .milliseconds(90))
        }
    }

    @Test func `a hub that falls behind reads the log and loses nothing`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            // Hold the event loop while more is committed than its mailbox holds.
            let loop = try await socket.connection().eventLoop
            let release = Locked(false)
            let held = Signal<Bool>()
            loop.execute {
                held.send(true)
                while !release.withLock({ $0 }) {}
            }
            _ = try await held.value()
            for number in 1...5000 {
                _ = try gateway.bus.tryPublish(
                    StandardEvent(
                        eventType: .custom, source: "t",
                        payload: ["n": .number(ExactDecimal(integerLiteral: Int64(number)))]))
            }
            try await eventually("all is committed") { gateway.log.bounds.head == 5000 }
            release.withLock { $0 = true }
            #expect(try await socket.offsets(5000) == Array(1...5000))
        }
    }
}
