import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct ResumeTests {
    @Test func `history and live meet without a gap or a duplicate while events keep coming`() async throws {
        // Room for whatever a busy machine makes a client wait: this is about the seam, not about slow clients.
        try await GatewayHarness.run {
            $0.limits.clientBufferBytes = 256 << 20
        } _: { gateway in
            let total = 30_000
            try await gateway.publishTrades(1...5000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await gateway.publishTrades(5001...total)
                }
                for start in [0, 0, 1234, 4999] {
                    group.addTask {
                        let socket = try await gateway.socket()
                        try await socket.send(
                            #"{"action":"subscribe","symbols":["BTC-USD"],"from":\#(start == 0 ? #""start""# : #"{"offset":\#(start)}"#)}"#
                        )
                        let answer = try await socket.next()
                        let ack = try #require(answer)
                        #expect(ack["data"]?.object?["recovered"]?.bool == true)
                        #expect(ack["data"]?.object?["offset"]?.int == start)
                        let offsets = try await socket.offsets(total - start, .seconds(50))
                        #expect(offsets == Array(Int64(start) + 1...Int64(total)))
                        try await socket.close()
                    }
                }
                // One that starts live in the middle of it all.
                group.addTask {
                    let socket = try await gateway.socket()
                    try await socket.send(#"{"action":"subscribe","symbols":["*"]}"#)
                    let answer = try await socket.next()
                    let ack = try #require(answer)
                    let start = Int64(try #require(ack["data"]?.object?["offset"]?.int))
                    let count = total - Int(start)
                    #expect(
                        try await socket.offsets(count, .seconds(50)) == Array(start + 1..<start + 1 + Int64(count)))
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a filter holds for history too`() async throws {
        try await GatewayHarness.run { gateway in
            for number in 1...200 {
                try await gateway.publishTrades(number...number)
                try await gateway.publishTrades(number...number, symbol: "ETH-USD")
                try await gateway.publishTrades(number...number, type: .ticker)
            }
            let socket = try await gateway.socket()
            _ = try await socket.ask(
                #"{"action":"subscribe","symbols":["eth-usd"],"event_types":["trade"],"from":"start"}"#)
            #expect(try await socket.offsets(200) == (1...200).map { Int64($0 * 3 - 1) })
            // Not a product of symbols and types.
            let odd = try await gateway.socket()
            try await odd.send(#"{"action":"subscribe","symbols":["BTC-USD"],"event_types":["ticker"]}"#)
            try await odd.send(#"{"action":"subscribe","symbols":["ETH-USD"],"event_types":["trade"],"from":"start"}"#)
            for _ in 0..<2 { _ = try await odd.next() }
            #expect(try await odd.offsets(200) == (1...200).map { Int64($0 * 3 - 1) })
            try await gateway.publishTrades(201...201, type: .ticker)
            #expect(try await odd.offsets(1) == [601])
        }
    }

    @Test func `going back for one subscription repeats nothing of another`() async throws {
        try await GatewayHarness.run { gateway in
            try await gateway.publishTrades(1...10)
            try await gateway.publishTrades(1...10, symbol: "ETH-USD")
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["BTC-USD"],"from":{"offset":5}}"#)
            #expect(try await socket.offsets(5) == [6, 7, 8, 9, 10])
            try await gateway.publishTrades(11...12)
            #expect(try await socket.offsets(2) == [21, 22])
            // Everything from the start: the trades 6...10, 21 and 22 were sent already.
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"from":"start"}"#)
            #expect(try await socket.offsets(15) == Array(1...5) + Array(11...20))
            try await gateway.publishTrades(13...13)
            #expect(try await socket.offsets(1) == [23])
        }
    }

    @Test func `a time is found`() async throws {
        try await GatewayHarness.run { gateway in
            for second in 10...20 {
                let event = StandardEvent(
                    eventType: "custom", source: "test", payload: [:],
                    timestamp: Timestamp("2024-01-15T10:30:\(second)Z"))
                _ = try await gateway.bus.publish(event)
            }
            let socket = try await gateway.socket()
            let ack = try await socket.ask(
                #"{"action":"subscribe","symbols":["*"],"from":{"time":"2024-01-15T10:30:15Z"}}"#)
            #expect(ack.contains(#""offset":5,"recovered":true"#))
            #expect(try await socket.offsets(6) == Array(6...11))
            let future = try await gateway.socket()
            let none = try await future.ask(#"{"action":"subscribe","symbols":["*"],"from":{"time":"2100-01-01"}}"#)
            #expect(none.contains(#""offset":11,"recovered":true"#))
        }
    }

    @Test func `what is gone is admitted`() async throws {
        try await GatewayHarness.run(logCapacity: 100) { gateway in
            try await gateway.publishTrades(1...1000)
            let oldest = gateway.log.bounds.oldest
            #expect(oldest > 500)
            let epoch = gateway.log.epoch
            for from in [
                #"{"offset":10}"#, #"{"epoch":"other","offset":990}"#, #"{"offset":5000}"#, #"{"time":"2000-01-01"}"#,
            ] {
                let socket = try await gateway.socket()
                let ack = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"from":\#(from)}"#)
                #expect(
                    ack.hasSuffix(
                        #""epoch":"\#(epoch)","offset":\#(oldest - 1),"recovered":false,"oldest_offset":\#(oldest)}}"#),
                    "\(from)")
                #expect(try await socket.offsets(1) == [oldest])
            }
            let socket = try await gateway.socket()
            let ack = try await socket.ask(
                #"{"action":"subscribe","symbols":["*"],"from":{"epoch":"\#(epoch)","offset":990}}"#)
            #expect(ack.contains(#""recovered":true"#))
            #expect(try await socket.offsets(10) == Array(991...1000))
        }
    }

    @Test(arguments: [#""end""#, #"{"offset":-1}"#, #"{"epoch":"x"}"#, #"{"time":"whenever"}"#, "7"])
    func `a place that is none is refused`(from: String) async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            let answer = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"from":\#(from)}"#)
            #expect(answer.hasPrefix(#"{"type":"error","error":"'from' must be"#))
        }
    }
}
