import Tidings
import TidingsMarkets

extension VenueConformance {
    /// The session's book is the exchange's, and the last event told its best levels.
    static func expectBook(of instrument: Int, _ run: VenueRun) throws {
        guard let (book, isLive) = run.session.book(of: instrument) else {
            throw ConformanceFailure("there is no book of \(run.plan.instruments[instrument].symbol)")
        }
        try Self.expect(isLive, "the book of \(run.plan.instruments[instrument].symbol) is not whole")
        try Self.expect(!book.isCrossed, "the book is crossed")
        guard let told = run.events(.orderBook, of: instrument).last?.payload.orderBook, told.kind == .snapshot else {
            throw ConformanceFailure("no book was told")
        }
        for (side, levels) in [(LocalBook.Side.bid, told.bids), (.ask, told.asks)] {
            let best = book.best(run.plan.book.depth, side)
            try Self.expectEqual(Self.texts(levels), Self.texts(best), "\(side)s told last")
        }
    }

    static func texts(_ levels: [OrderBook.Level]) -> [String] {
        levels.map { "\($0.price) x \($0.volume)" }
    }

    static func bestTexts(_ book: SampleBook, _ side: LocalBook.Side) -> [String] {
        book.levels(side).map { "\($0.price) x \($0.size)" }
    }

    /// A book of our own beside the session's, changed at random.
    private static func walk(_ run: inout VenueRun, _ model: inout SampleBook, steps: Int, seed: UInt64) throws {
        var random = seed
        for _ in 0..<steps {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let step = Int(random >> 33) % 8
            let size = (random >> 40) % 4 == 0 ? "0.000" : "\(1 + (random >> 50) % 9).\(100 + (random >> 20) % 900)"
            let side: LocalBook.Side = (random >> 60) % 2 == 0 ? .bid : .ask
            let price = side == .bid ? "99.\(step + 1)0" : "100.\(step + 1)0"
            let isThere = model.levels(side).contains { $0.price == price }
            if size == "0.000", !isThere || model.levels(side).count == 1 { continue }
            model.apply([SampleLevel(side, price, size)])
            try run.book(0, [SampleLevel(side, price, size)])
        }
    }

    private static func model() -> SampleBook {
        var model = SampleBook()
        model.apply(Self.firstBook)
        model.apply([SampleLevel(.bid, "99.90", "3.000"), SampleLevel(.ask, "100.10", "2.500")])
        return model
    }

    static let books = [
        Check("the book is the exchange's after any number of changes, digit for digit") { exchange in
            var run = try Self.running(exchange)
            var model = Self.model()
            try Self.walk(&run, &model, steps: 300, seed: 7)
            try Self.expectBook(of: 0, run)
            guard let book = run.session.book(of: 0)?.book else { return }
            for side in LocalBook.Side.allCases {
                try Self.expectEqual(
                    Self.texts(book.best(100, side)), Self.bestTexts(model, side), "levels of the \(side)s")
            }
        },
        Check("a frame that changes nothing near the top makes no event") { exchange in
            var run = try Self.running(exchange, book: BookPlan(depth: 2))
            run.forget()
            try run.book(0, [SampleLevel(.bid, "99.40", "9.000")])
            try Self.expect(run.events(.orderBook).isEmpty, "an event was made")
            try run.book(0, [SampleLevel(.bid, "99.90", "9.000")])
            try Self.expectEqual(run.events(.orderBook).count, 1, "events of a change at the top")
        },
        Check("deltas, applied to the first snapshot, give the book") { exchange in
            var run = try Self.running(exchange, book: BookPlan(kind: .delta))
            var model = Self.model()
            try Self.walk(&run, &model, steps: 100, seed: 11)
            var followed = LocalBook()
            for event in run.events(.orderBook, of: 0) {
                guard let told = event.payload.orderBook else { continue }
                if told.kind == .snapshot { followed = LocalBook() }
                for level in told.bids { followed.set(.bid, price: level.price, size: level.volume) }
                for level in told.asks { followed.set(.ask, price: level.price, size: level.volume) }
            }
            for side in LocalBook.Side.allCases {
                try Self.expectEqual(Self.texts(followed.best(20, side)), Self.bestTexts(model, side), "\(side)s")
            }
        },
        Check("a lost book frame is noticed, told, and mended for that symbol only", needs: .noticesLostBookFrames) {
            exchange in
            var run = try Self.running(exchange)
            run.forget()
            try run.book(0, [SampleLevel(.bid, "99.90", "4.000")], isLost: true)
            try run.book(0, [SampleLevel(.bid, "99.80", "5.000")])
            try run.pass(.seconds(5))
            try run.book(0, [SampleLevel(.ask, "100.10", "6.000")])
            try Self.expect(run.isResyncing(0), "nothing says that the book is being mended")
            try Self.expect(run.isResynced(0), "nothing says that the book is whole again")
            // A venue that counts the frames of a whole connection cannot say whose was lost.
            let symbol = exchange.instruments[0].symbol
            let told = run.problems.contains {
                ["SEQUENCE_GAP", "CHECKSUM"].contains($0.code) && ($0.details["symbol"]?.string ?? symbol) == symbol
            }
            try Self.expect(told, "no SEQUENCE_GAP or CHECKSUM tells of it")
            try Self.expectBook(of: 0, run)
            var model = Self.model()
            model.apply([
                SampleLevel(.bid, "99.90", "4.000"), SampleLevel(.bid, "99.80", "5.000"),
                SampleLevel(.ask, "100.10", "6.000"),
            ])
            guard let book = run.session.book(of: 0)?.book else { return }
            try Self.expectEqual(Self.texts(book.best(100, .bid)), Self.bestTexts(model, .bid), "bids")
        },
        Check("nothing is told of a book that is not whole", needs: .noticesLostBookFrames) { exchange in
            var run = try Self.running(exchange)
            run.isMute = true
            try run.book(0, [SampleLevel(.bid, "99.90", "4.000")], isLost: true)
            let before = run.events(.orderBook, of: 0).count
            try run.book(0, [SampleLevel(.bid, "99.80", "5.000")])
            guard let (_, isLive) = run.session.book(of: 0), !isLive else {
                // It was mended at once, by what the socket brought.
                return try Self.expectBook(of: 0, run)
            }
            try run.book(0, [SampleLevel(.bid, "99.90", "6.000")])
            try Self.expectEqual(run.events(.orderBook, of: 0).count, before, "book events")
            try run.book(1, [SampleLevel(.bid, "99.90", "6.000")])
            try Self.expectBook(of: 1, run)
        },
        Check("a book that crosses is told of and never published") { exchange in
            var run = try Self.running(exchange)
            run.forget()
            try run.book(0, [SampleLevel(.bid, "100.95", "1.000")])
            try run.pass(.seconds(5))
            try Self.expect(run.problems.contains { $0.code == "CROSSED_BOOK" }, "no CROSSED_BOOK was told")
            for event in run.events(.orderBook, of: 0) {
                guard let bid = event.payload.orderBook?.bestBid, let ask = event.payload.orderBook?.bestAsk else {
                    continue
                }
                try Self.expect(bid.price < ask.price, "a book with \(bid.price) over \(ask.price) was published")
            }
            try run.book(0, [SampleLevel(.bid, "100.95", "0.000")])
            try run.pass(.seconds(5))
            try run.book(0, [SampleLevel(.bid, "99.90", "8.000")])
            try Self.expectBook(of: 0, run)
        },
    ]

    static let tickers = [
        Check("best prices become tickers, digit for digit", needs: .tickers) { exchange in
            var run = try Self.running(exchange, channels: [.ticker])
            run.forget()
            try run.happen(
                .ticker(
                    instrument: 1, bid: SampleLevel(.bid, "99.90", "3.000"), ask: SampleLevel(.ask, "100.10", "2.500"),
                    at: run.now))
            guard let ticker = run.events(.ticker, of: 1).last?.payload.ticker else {
                throw ConformanceFailure("no ticker came")
            }
            try Self.expectEqual(ticker.bid?.description, "99.90", "bid")
            try Self.expectEqual(ticker.ask?.description, "100.10", "ask")
        }
    ]
}
