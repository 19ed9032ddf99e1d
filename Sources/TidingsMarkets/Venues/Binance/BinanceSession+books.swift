public import Tidings

/// Order books: what ``BinanceBookSync`` decides is done and told.
extension BinanceSession {
    /// Weights of `GET /api/v3/depth` (rest-api.md): 250 up to 5,000 levels, 50 up to 1,000. All books of a session are
    /// to be had within a minute.
    static func snapshotLimit(books: Int) -> (levels: Int, weight: Int) {
        books <= 20 ? (5000, 250) : (1000, 50)
    }

    mutating func requestBook(_ index: Int, into output: inout VenueOutput) {
        let symbol = Binance.escaped(self.markets[index].instrument.venueSymbol)
        let limit = Self.snapshotLimit(books: self.markets.count)
        output.requests.append(
            VenueRequest(
                .book(index), .get, "/api/v3/depth?symbol=\(symbol)&limit=\(limit.levels)", weight: limit.weight))
    }

    // MARK: Updates

    /// An update whose levels are in `bids` and `asks`.
    @inline(__always)
    mutating func takeUpdate(
        _ index: Int, _ first: UInt64, _ last: UInt64, _ timestamp: Timestamp, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        guard let stream = self.markets[index].bookStream else { return }
        output.hear(stream)
        self.markets[index].bookMode = .updates
        guard self.markets[index].sync.isLive else {
            return self.keepUpdate(index, first, last, timestamp, at: receivedAt, into: &output)
        }
        switch self.markets[index].sync.verdict(first: first, last: last) {
        case .old: return
        case .next:
            self.markets[index].sync.apply(bids: self.bids, asks: self.asks, last: last)
            if self.markets[index].sync.book.isCrossed {
                return self.tellCrossed(index, at: receivedAt, into: &output)
            }
            self.publish(index, last, timestamp, at: receivedAt, into: &output)
        case .gap(let expected):
            self.tellGap(index, expected: expected, got: first, into: &output)
            self.mend(
                index, "update \(expected) was expected, \(first) came", at: receivedAt, into: &output)
            self.keepUpdate(index, first, last, timestamp, at: receivedAt, into: &output)
        }
    }

    /// The same, of a frame in any shape.
    mutating func takeUpdate(
        _ index: Int, _ fields: BinanceFields, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> String? {
        guard let first = fields.firstUpdate, let last = fields.lastUpdate, first <= last,
            let timestamp = fields.eventTime, let bids = fields.bids?.levels, let asks = fields.asks?.levels
        else { return "a depthUpdate without numbers, time or levels" }
        self.bids = bids
        self.asks = asks
        self.takeUpdate(index, first, last, timestamp, at: receivedAt, into: &output)
        return nil
    }

    /// Keeps an update for the snapshot that is on its way, or asks for that.
    @inline(never)
    private mutating func keepUpdate(
        _ index: Int, _ first: UInt64, _ last: UInt64, _ timestamp: Timestamp, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        let hasRoom = self.markets[index].sync.keep(
            BinanceBookSync.Update(
                first: first, last: last, bids: self.bids, asks: self.asks, timestamp: timestamp,
                receivedAt: receivedAt))
        if !hasRoom {
            let symbol = self.markets[index].instrument.symbol
            output.problems.append(
                VenueOutput.Problem(
                    code: "SEQUENCE_GAP",
                    message: "binance \(symbol): more updates of the book came than can wait for a snapshot",
                    details: ["symbol": .string(symbol)]))
            self.tellMending(index, "the snapshot is too long in coming", into: &output)
        }
        if self.markets[index].sync.begin(at: receivedAt.nanoseconds) { self.requestBook(index, into: &output) }
    }

    private mutating func publish(
        _ index: Int, _ sequence: UInt64, _ timestamp: Timestamp?, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        let event = self.markets[index].publisher.update(
            self.markets[index].sync.book, sequence: sequence, timestamp: timestamp, receivedAt: receivedAt)
        if let event { output.events.append(event) }
    }

    // MARK: Whole books

    /// `{"lastUpdateId":160,"bids":[..],"asks":[..]}` of `@depth5`, `@depth10` and `@depth20`, whose symbol only the
    /// stream's name has.
    mutating func takeWholeBook(
        _ fields: BinanceFields, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> String? {
        guard let last = fields.lastUpdateID, let bids = fields.wholeBids, let asks = fields.wholeAsks else {
            return "a book without levels"
        }
        let index: Int?
        if let stream = fields.stream {
            let name = stream.bytes.prefix { $0 != UInt8(ascii: "@") }
            index = self.table.index(of: UnsafeRawBufferPointer(rebasing: name), inCapitals: true)
        } else {
            index = self.markets.count == 1 ? 0 : nil
        }
        guard let index, let stream = self.markets[index].bookStream else { return nil }
        output.hear(stream)
        // Whoever has every update needs no excerpt.
        if self.markets[index].bookMode == .updates { return nil }
        self.markets[index].bookMode = .whole
        if self.markets[index].sync.isLive, last <= self.markets[index].sync.last { return nil }
        let book = LocalBook(bids: bids.reversed(), asks: asks.reversed())
        if book.isCrossed {
            self.tellCrossed(book, index, into: &output)
            self.tellMending(index, "bid and ask cross", into: &output)
            return nil
        }
        self.markets[index].sync.replace(book, last: last, at: receivedAt.nanoseconds)
        self.publish(index, last, nil, at: receivedAt, into: &output)
        self.tellMended(index, into: &output)
        return nil
    }

    // MARK: Snapshots

    public mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        switch request.purpose {
        case .book(let index) where self.markets.indices.contains(index):
            self.takeSnapshot(answer, index, at: receivedAt, into: &output)
            self.tellReady(at: receivedAt, into: &output)
        case .lostTrades(let index, let range) where self.markets.indices.contains(index):
            self.takeLostTrades(answer, request, index, range, at: receivedAt, into: &output)
        default: break
        }
    }

    private mutating func takeSnapshot(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard self.markets[index].sync.answered() else { return }
        let now = receivedAt.nanoseconds
        switch answer {
        case .failure(let status, let reason):
            self.markets[index].sync.wait(at: now)
            output.problems.append(
                self.bookProblem(
                    status == 429 || status == 418 ? "RATE_LIMIT" : "CONNECTION", index,
                    "the order book could not be had: \(reason.prefix(200))"))
        case .body(let body):
            guard let snapshot = BinanceSnapshot(body) else {
                self.markets[index].sync.wait(at: now)
                output.problems.append(self.bookProblem("PARSE", index, "an order book that makes no sense"))
                return
            }
            // Older than the first update that was buffered: what was between them is missing.
            guard !self.markets[index].sync.isTooOld(snapshot.last) else {
                return self.markets[index].sync.wait(at: now)
            }
            self.adopt(snapshot, index, at: receivedAt, into: &output)
        }
    }

    /// The snapshot becomes the book, and what was buffered goes on from it.
    private mutating func adopt(
        _ snapshot: BinanceSnapshot, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let rest = self.markets[index].sync.adopt(snapshot.book, last: snapshot.last, at: receivedAt.nanoseconds)
        if snapshot.book.isCrossed { return self.tellCrossed(index, at: receivedAt, into: &output) }
        self.markets[index].publisher.restart()
        // An empty one says nothing.
        if snapshot.book.bestBid != nil || snapshot.book.bestAsk != nil {
            self.publish(index, snapshot.last, nil, at: receivedAt, into: &output)
        }
        for update in rest {
            self.markets[index].sync.apply(bids: update.bids, asks: update.asks, last: update.last)
            if self.markets[index].sync.book.isCrossed {
                return self.tellCrossed(index, at: receivedAt, into: &output)
            }
            self.publish(index, update.last, update.timestamp, at: update.receivedAt, into: &output)
        }
        self.tellMended(index, into: &output)
    }

    // MARK: Repair

    /// Builds a book anew, and only that one.
    mutating func mend(_ index: Int, _ reason: String, at now: Timestamp, into output: inout VenueOutput) {
        self.tellMending(index, reason, into: &output)
        if self.markets[index].sync.restart(at: now.nanoseconds) { self.requestBook(index, into: &output) }
    }

    private mutating func tellMending(_ index: Int, _ reason: String, into output: inout VenueOutput) {
        guard !self.markets[index].sync.isTold else { return }
        self.markets[index].sync.isTold = true
        output.notices.append(.resyncing(symbol: self.markets[index].symbol, reason: reason))
    }

    private mutating func tellMended(_ index: Int, into output: inout VenueOutput) {
        guard self.markets[index].sync.isTold else { return }
        self.markets[index].sync.isTold = false
        output.notices.append(.resynced(symbol: self.markets[index].symbol))
    }

    private mutating func tellCrossed(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.tellCrossed(self.markets[index].sync.book, index, into: &output)
        self.mend(index, "bid and ask cross", at: now, into: &output)
    }

    private func tellCrossed(_ book: LocalBook, _ index: Int, into output: inout VenueOutput) {
        guard let bid = book.bestBid, let ask = book.bestAsk else { return }
        var problem = self.bookProblem("CROSSED_BOOK", index, "bid \(bid.price) is not below ask \(ask.price)")
        problem.details = problem.details.setting("bid", to: .number(bid.price))
        problem.details = problem.details.setting("ask", to: .number(ask.price))
        output.problems.append(problem)
    }

    private func tellGap(_ index: Int, expected: UInt64, got: UInt64, into output: inout VenueOutput) {
        var problem = self.bookProblem("SEQUENCE_GAP", index, "updates of the order book have not come")
        problem.details = problem.details.setting("expected", to: .number(ExactDecimal(clamping: expected)))
        problem.details = problem.details.setting("got", to: .number(ExactDecimal(clamping: got)))
        output.problems.append(problem)
    }

    private func bookProblem(_ code: String, _ index: Int, _ message: String) -> VenueOutput.Problem {
        let symbol = self.markets[index].instrument.symbol
        return VenueOutput.Problem(
            code: code, message: "binance \(symbol): \(message)", details: ["symbol": .string(symbol)])
    }
}

/// The answer to `GET /api/v3/depth`.
struct BinanceSnapshot {
    let last: UInt64
    let book: LocalBook

    init?(_ body: [UInt8]) {
        let fields: BinanceFields? = body.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            var fields = BinanceFields()
            do throws(JSONSyntaxError) {
                try fields.read(&reader)
                try reader.expectEnd()
                return fields
            } catch {
                return nil
            }
        }
        guard let fields, let last = fields.lastUpdateID, let bids = fields.wholeBids, let asks = fields.wholeAsks
        else {
            return nil
        }
        self.last = last
        // The worst first: each level is then put at the end, where the best ones are.
        self.book = LocalBook(bids: bids.reversed(), asks: asks.reversed())
    }
}
