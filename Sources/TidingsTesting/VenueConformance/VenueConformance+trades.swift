import Tidings
import TidingsMarkets

extension VenueConformance {
    static let names = [
        Check("the name is in lower case and is the source of the events") { exchange in
            try Self.expectEqual(exchange.venue.name, exchange.venue.name.lowercased(), "name")
            var run = try Self.running(exchange)
            try run.trade()
            for event in run.events {
                try Self.expectEqual(event.source, Name(exchange.venue.name), "source of a \(event.eventType)")
            }
        },
        Check("an instrument is found by both of its names, in any case") { exchange in
            for instrument in exchange.instruments {
                for name in [instrument.symbol, instrument.symbol.lowercased()] {
                    let found = exchange.venue.instrument(named: name)
                    try Self.expectEqual(found?.symbol, instrument.symbol, "symbol of '\(name)'")
                    try Self.expectEqual(found?.venueSymbol, instrument.venueSymbol, "venue symbol of '\(name)'")
                }
                if let found = exchange.venue.instrument(named: instrument.venueSymbol) {
                    try Self.expectEqual(found.symbol, instrument.symbol, "symbol of '\(instrument.venueSymbol)'")
                }
            }
        },
        Check("what cannot be a symbol is refused") { exchange in
            for name in ["", " ", "A B", "\"", "{}", "\u{0}", String(repeating: "A", count: 5000)] {
                try Self.expect(exchange.venue.instrument(named: name) == nil, "'\(name.prefix(20))' is taken for one")
            }
        },
        Check("the list of instruments is read, and garbage in its place is an error") { exchange in
            var list = exchange.instrumentList()
            let found = try list.withUTF8 { try exchange.venue.instruments(from: UnsafeRawBufferPointer($0)) }
            for instrument in exchange.instruments {
                let isThere = found.contains {
                    $0.symbol == instrument.symbol && $0.venueSymbol == instrument.venueSymbol
                        && $0.kind == instrument.kind
                }
                try Self.expect(isThere, "\(instrument.symbol) is not among what was read")
            }
            for end in stride(from: 0, to: list.utf8.count - 1, by: max(1, list.utf8.count / 50)) {
                var part = String(decoding: list.utf8.prefix(end), as: UTF8.self)
                let read = part.withUTF8 { bytes in
                    Result { try exchange.venue.instruments(from: UnsafeRawBufferPointer(bytes)) }
                }
                if case .success = read { throw ConformanceFailure("the first \(end) bytes are read as if whole") }
            }
        },
    ]

    static let subscriptions = [
        Check("a fresh socket is subscribed to, and every stream is confirmed once") { exchange in
            let run = try Self.running(exchange)
            try Self.expect(!run.sent.isEmpty, "nothing was sent")
            for stream in run.plan.streams.indices {
                let count = run.notices.filter { $0 == .confirmed(stream: stream) }.count
                try Self.expectEqual(count, 1, "confirmations of \(run.plan.streams[stream])")
            }
            try Self.expect(run.notices.contains(.ready(connection: 1)), "the connection was never ready")
            try Self.expect(run.problems.isEmpty, "there were problems: \(run.problems)")
        },
        Check("frames name the streams that they are about") { exchange in
            var run = try Self.running(exchange, channels: [.trade, .orderBook])
            run.forget()
            try run.trade(1)
            try Self.expect(run.heard.contains(run.plan.stream(.trade, of: 1) ?? -1), "a trade is not heard")
            try run.book(1, [SampleLevel(.bid, "99.95", "1.000")])
            try Self.expect(run.heard.contains(run.plan.stream(.orderBook, of: 1) ?? -1), "a book is not heard")
        },
        Check("asking anew for a stream brings its book back, and repeats nothing") { exchange in
            var run = try Self.running(exchange)
            try run.trade()
            run.forget()
            for stream in run.plan.streams.indices { try run.resubscribe(stream) }
            try Self.expect(!run.sent.isEmpty || !run.requests.isEmpty, "nothing was asked for")
            try Self.expect(run.events(.trade).isEmpty, "a trade was published again")
            try run.book(0, [SampleLevel(.bid, "99.96", "7.000")])
            try Self.expectBook(of: 0, run)
        },
    ]

    static let trades = [
        Check("a trade keeps its digits, its time and the taker's side") { exchange in
            for side in [TradeSide.buy, .sell] {
                var run = try Self.running(exchange)
                run.forget()
                let trade = try run.trade(1, price: "100.50", size: "0.250", side: side)
                let events = run.events(.trade)
                try Self.expectEqual(events.count, 1, "trades")
                guard let event = events.first, let payload = event.payload.trade else {
                    throw ConformanceFailure("the payload is no trade")
                }
                try Self.expectEqual(payload.price.description, "100.50", "price")
                try Self.expectEqual(payload.volume.description, "0.250", "volume")
                try Self.expectEqual(payload.side, side, "side of the taker")
                try Self.expectEqual(payload.symbol, Name(exchange.instruments[1].symbol), "symbol")
                try Self.expectEqual(
                    payload.context.venueSymbol, Name(exchange.instruments[1].venueSymbol), "venue_symbol")
                try Self.expectEqual(payload.context.instrument, exchange.instruments[1].kind, "instrument")
                try Self.expectEqual(payload.context.receivedAt, run.now, "received_at")
                try Self.expectEqual(event.timestamp, trade.time, "timestamp")
                try Self.expectEqual(payload.timestamp, trade.time, "payload.timestamp")
                try Self.expect(payload.tradeID != nil, "there is no trade_id")
            }
        },
        Check("the same frames make the same events, identifiers included") { exchange in
            let texts = try (0..<2).map { _ in
                var run = try Self.running(exchange)
                for number in 0..<5 { try run.trade(number % 2, price: "100.\(number)0") }
                return run.events.map { "\($0.eventID) \($0.payload)" }
            }
            try Self.expectEqual(texts[0], texts[1], "events")
            try Self.expectEqual(Set(texts[0]).count, texts[0].count, "different events")
        },
        Check("a trade that is told twice is published once") { exchange in
            var run = try Self.running(exchange)
            let trade = try run.trade()
            try run.trade()
            run.forget()
            try run.happen(.trade(trade))
            try Self.expect(run.events(.trade).isEmpty, "it was published again")
        },
        Check("lost trades are noticed and told of by number", needs: .countsTrades) { exchange in
            var run = try Self.running(exchange)
            try run.trade()
            run.isMute = true
            try run.trade(isLost: true)
            try run.trade(isLost: true)
            run.forget()
            try run.trade()
            let told = run.problems.filter { $0.code == "SEQUENCE_GAP" && $0.details["from"] != nil }
            try Self.expectEqual(told.count, 1, "reports of the gap")
            let symbol = exchange.instruments[0].symbol
            try Self.expectEqual(told.first?.details["symbol"]?.string, symbol, "symbol of the report")
            try Self.expect(!run.events(.trade).isEmpty, "the trade beyond the gap did not come")
        },
        Check("lost trades are had again, once each", needs: [.countsTrades, .refillsTrades]) { exchange in
            var run = try Self.running(exchange)
            try run.trade()
            run.forget()
            var lost: [SampleTrade] = []
            for number in 0..<5 { lost.append(try run.trade(price: "101.\(number)0", isLost: true)) }
            try run.trade()
            try run.pass(.seconds(10))
            try run.trade()
            let prices = run.events(.trade).compactMap { $0.payload.trade?.price.description }
            for trade in lost {
                try Self.expectEqual(prices.filter { $0 == trade.price }.count, 1, "times \(trade.price) came")
            }
            try Self.expectEqual(prices.count, 7, "trades")
        },
    ]
}
