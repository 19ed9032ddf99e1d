import Tidings
import TidingsMarkets

extension VenueConformance {
    static let connections = [
        Check("after a break everything is subscribed to again and no trade is repeated") { exchange in
            var run = try Self.running(exchange)
            try run.trade()
            try run.trade(1)
            try run.disconnect(1)
            run.forget()
            let second = try run.connect()
            try Self.expect(!run.sent.isEmpty, "nothing was sent")
            try run.pass(.seconds(5))
            try Self.expect(run.events(.trade).isEmpty, "a trade was published again")
            try run.book(0, [SampleLevel(.bid, "99.90", "8.000")])
            try run.book(1, [SampleLevel(.bid, "99.90", "8.000")])
            try Self.expect(run.notices.contains(.ready(connection: second)), "the new connection was never ready")
            try Self.expectBook(of: 0, run)
            try run.trade()
            try Self.expectEqual(run.events(.trade).count, 1, "trades after the break")
        },
        Check("trades during a break are had again", needs: [.countsTrades, .refillsTrades]) { exchange in
            var run = try Self.running(exchange)
            try run.trade()
            try run.disconnect(1)
            run.forget()
            for _ in 0..<3 { try run.trade() }
            try run.connect()
            try run.trade()
            try run.pass(.seconds(10))
            try Self.expectEqual(run.events(.trade).count, 4, "trades")
            try Self.expectEqual(Set(run.events(.trade).map(\.eventID)).count, 4, "different trades")
        },
        Check("a book is not called whole while the socket is gone") { exchange in
            var run = try Self.running(exchange)
            try run.disconnect(1)
            try Self.expect(run.session.book(of: 0)?.isLive != true, "it is")
        },
        Check("two connections at a time bring everything once") { exchange in
            var run = try Self.running(exchange)
            let second = try run.connect()
            for instrument in exchange.instruments.indices {
                try run.book(instrument, [SampleLevel(.bid, "99.90", "8.000")])
            }
            try run.pass(.seconds(2))
            run.forget()
            try run.trade()
            try run.book(0, [SampleLevel(.bid, "99.90", "9.000")])
            try Self.expectEqual(run.events(.trade).count, 1, "trades")
            try Self.expectEqual(run.events(.orderBook).count, 1, "books")
            try run.disconnect(second - 1)
            try run.trade()
            try run.book(0, [SampleLevel(.bid, "99.90", "7.000")])
            try Self.expectEqual(run.events(.trade).count, 2, "trades after the old connection went")
            try Self.expectBook(of: 0, run)
            try Self.expect(run.problems.isEmpty, "there were problems: \(run.problems)")
        },
        Check("time may pass, stand still or jump") { exchange in
            var run = try Self.running(exchange)
            for nanoseconds in [Int64.max, .min, 0, run.now.nanoseconds, 1] {
                var output = VenueOutput()
                run.session.tick(at: Timestamp(nanoseconds: nanoseconds, precision: .nanoseconds), into: &output)
            }
            try run.trade()
        },
    ]

    static let garbage = [
        Check("what is no frame is told of, and the next frame is read as ever") { exchange in
            for text in [
                "", "{", "[", "null", "42", "\"\"", "{}", "[]", "{\"a\":", "\u{0}", "nonsense", "{\"data\":[{}]}",
            ] {
                var run = try Self.running(exchange)
                run.forget()
                try run.deliver([(1, text)])
                try Self.expect(run.events.isEmpty, "'\(text)' made an event")
                try run.trade()
                try Self.expectEqual(run.events(.trade).count, 1, "trades after '\(text)'")
            }
            var run = try Self.running(exchange)
            run.forget()
            try run.deliver([(1, "{\"channel\":")])
            try Self.expect(run.problems.contains { $0.code == "PARSE" }, "half a frame is not told of")
        },
        Check("a frame cut anywhere or with any byte changed traps nothing") { exchange in
            var run = try Self.running(exchange)
            let trade = SampleTrade(
                instrument: 0, number: 99, price: "100.50", size: "0.250", side: .buy, time: run.now)
            var frames = run.frames(of: .trade(trade))
            frames += run.frames(of: .book(instrument: 0, changes: Self.firstBook, at: run.now))
            frames += run.frames(
                of: .ticker(
                    instrument: 0, bid: SampleLevel(.bid, "99.90", "3.000"), ask: SampleLevel(.ask, "100.10", "2.500"),
                    at: run.now))
            var output = VenueOutput()
            for (connection, text) in frames {
                let bytes = Array(text.utf8)
                for index in bytes.indices {
                    Array(bytes[..<index]).withUnsafeBytes {
                        run.session.receive($0, on: connection, at: run.now, into: &output)
                    }
                    for byte in [0x00, 0x22, 0x2D, 0x39, 0x5D, 0x7D, 0xFF] as [UInt8] {
                        var changed = bytes
                        changed[index] = byte
                        changed.withUnsafeBytes {
                            run.session.receive($0, on: connection, at: run.now, into: &output)
                        }
                    }
                    output.removeAll()
                }
            }
        },
        Check("a number too large for anything traps nothing") { exchange in
            var run = try Self.running(exchange)
            let trade = SampleTrade(
                instrument: 0, number: .max, price: String(repeating: "9", count: 400), size: "1e400", side: .sell,
                time: Timestamp(nanoseconds: .max / 2, precision: .milliseconds))
            for (connection, text) in run.frames(of: .trade(trade)) {
                var output = VenueOutput()
                run.session.receive(text, on: connection, at: run.now, into: &output)
            }
            try run.trade()
        },
        Check("an unknown instrument's frames make no events") { exchange in
            var one = exchange
            var run = VenueRun(exchange)
            run.session = exchange.venue.makeSession(FeedPlan(instruments: [exchange.instruments[1]]))
            try run.connect()
            run.forget()
            let trade = SampleTrade(instrument: 0, number: 1, price: "1", size: "1", side: .buy, time: run.now)
            try run.deliver(one.happen(.trade(trade), on: [1]))
            try Self.expect(run.events.isEmpty, "an event was made")
        },
    ]
}
