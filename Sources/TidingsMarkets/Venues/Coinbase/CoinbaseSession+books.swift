import Tidings

/// Books: a snapshot, changes, and what to do when they do not fit.
extension CoinbaseSession {
    /// A change that is older than the last is a repetition; so many in a row mean that the last one's time was wrong.
    static let maximumOlderUpdates = 8

    mutating func readSnapshot(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let index = self.fields.product, let stream = self.products[index].bookStream else { return }
        guard self.fields.lists == 2 else {
            output.problems.append(.unreadable(frame, "a snapshot without bids and asks"))
            return
        }
        let outcome = self.products[index].book.replace(
            bids: self.fields.bids, asks: self.fields.asks, on: connection)
        guard outcome != .passed else { return }
        output.hear(stream)
        self.products[index].bookTime = .min
        self.products[index].olderUpdates = 0
        self.products[index].check.restart(at: receivedAt.nanoseconds, offset: index)
        guard outcome == .whole else {
            return self.resync(index, crossed: self.products[index].book.book, at: receivedAt, into: &output)
        }
        if self.products[index].book.endsResync() {
            output.notices.append(.resynced(symbol: self.products[index].symbol))
        }
        // The oldest form of the message has no time, a later one may say year 1.
        self.publish(index, self.fields.time.flatMap { $0.nanoseconds > 0 ? $0 : nil }, receivedAt, &output)
        self.confirm(stream, on: connection, into: &output)
    }

    mutating func readUpdate(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let index = self.fields.product, let stream = self.products[index].bookStream else { return }
        guard self.products[index].book.takes(connection) else {
            // Before its snapshot, or from the connection that is not looked at.
            return
        }
        output.hear(stream)
        guard self.fields.lists == 1 else {
            let problem = VenueOutput.Problem.unreadable(frame, "an l2update without sensible changes")
            return self.resync(index, "an unreadable change", problem, at: receivedAt, into: &output)
        }
        if let time = self.fields.time {
            guard time.nanoseconds >= self.products[index].bookTime else {
                return self.passOver(index, time, at: receivedAt, into: &output)
            }
            self.products[index].bookTime = time.nanoseconds
            self.products[index].olderUpdates = 0
        }
        self.products[index].check.note(self.fields.bids, self.fields.asks)
        let outcome = self.products[index].book.apply(bids: self.fields.bids, asks: self.fields.asks)
        guard outcome == .whole else {
            return self.resync(index, crossed: self.products[index].book.book, at: receivedAt, into: &output)
        }
        self.publish(index, self.fields.time, receivedAt, &output)
    }

    @inline(__always)
    private mutating func publish(
        _ index: Int, _ time: Timestamp?, _ receivedAt: Timestamp, _ output: inout VenueOutput
    ) {
        let event = self.products[index].book.event(sequence: nil, timestamp: time, receivedAt: receivedAt)
        if let event { output.events.append(event) }
    }

    private mutating func passOver(
        _ index: Int, _ time: Timestamp, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        self.products[index].olderUpdates += 1
        guard self.products[index].olderUpdates >= Self.maximumOlderUpdates else { return }
        let last = Timestamp(nanoseconds: self.products[index].bookTime)
        self.resync(
            index, "its times went back",
            .brokenBook(
                Self.source, self.products[index].symbol,
                "changes of the book are older than one that came before", expected: "\(last)", got: "\(time)"),
            at: receivedAt, into: &output)
    }

    // MARK: Mending

    private mutating func resync(
        _ index: Int, crossed book: LocalBook, at now: Timestamp, into output: inout VenueOutput
    ) {
        self.resync(
            index, "crossed book", .crossedBook(Self.source, self.products[index].symbol, book), at: now,
            into: &output)
    }

    /// The book of this product only is asked for anew. A snapshot that is no good itself is asked for again after
    /// ``CoinbaseBook/patience``, not at once.
    mutating func resync(
        _ index: Int, _ reason: String, _ problem: VenueOutput.Problem, at now: Timestamp,
        into output: inout VenueOutput
    ) {
        guard self.products[index].book.doubt() else {
            self.products[index].book.asked(at: now.nanoseconds)
            return
        }
        output.problems.append(problem)
        output.notices.append(.resyncing(symbol: self.products[index].symbol, reason: reason))
        self.askForBook(index, at: now, into: &output)
    }

    // MARK: Comparing

    /// Something was lost of a product, so perhaps of its book.
    mutating func suspectBook(_ index: Int) {
        guard self.products[index].bookStream != nil else { return }
        self.products[index].check.suspect()
    }

    mutating func suspectBooks(fedBy connection: Int) {
        for index in self.products.indices where self.products[index].book.takes(connection) {
            self.suspectBook(index)
        }
    }

    /// A ticker has the best prices right after a trade. A book that is fed in batches may be behind, so another best
    /// price is only a reason to look.
    mutating func compare(_ ticker: Ticker, _ index: Int) {
        guard self.products[index].bookStream != nil, self.products[index].book.isWhole else { return }
        let book = self.products[index].book.book
        let isSame =
            (ticker.bid == nil || ticker.bid == book.bestBid?.price)
            && (ticker.ask == nil || ticker.ask == book.bestAsk?.price)
        self.products[index].check.saw(isSame: isSame)
    }

    mutating func tickCheck(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard self.products[index].book.isWhole else { return }
        switch self.products[index].check.tick(at: now.nanoseconds, self.products[index].book.book) {
        case .nothing: break
        case .ask:
            let name = self.products[index].instrument.venueSymbol
            output.requests.append(VenueRequest(.book(index), .get, "/products/\(name)/book?level=2"))
        case .differs(let difference):
            // What was lost here may have been lost elsewhere too.
            if let source = self.products[index].book.source { self.suspectBooks(fedBy: source) }
            self.resync(
                index, "not as the venue has it",
                .brokenBook(
                    Self.source, self.products[index].symbol,
                    "the book is not as the venue has it at \(difference.price)", expected: "\(difference.expected)",
                    got: "\(difference.got)"), at: now, into: &output)
        }
    }

    mutating func receiveBook(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard case .body(let bytes) = answer else {
            return self.products[index].check.failed(at: receivedAt.nanoseconds)
        }
        let lists = bytes.withUnsafeBytes { CoinbaseBookAnswer($0) }
        guard let lists else {
            bytes.withUnsafeBytes { output.problems.append(.unreadable($0, "a book without bids and asks")) }
            return self.products[index].check.failed(at: receivedAt.nanoseconds)
        }
        self.products[index].check.take(bids: lists.bids, asks: lists.asks, at: receivedAt.nanoseconds)
    }
}

/// The answer to `/products/X/book?level=2`: every level, aggregated by price.
struct CoinbaseBookAnswer {
    var bids = LevelList()
    var asks = LevelList()

    init?(_ bytes: UnsafeRawBufferPointer) {
        do throws(JSONSyntaxError) {
            var lists = 0
            var reader = JSONReader(bytes)
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("bids") {
                    if try reader.readLevels(into: &self.bids) { lists += 1 }
                } else if key.equals("asks") {
                    if try reader.readLevels(into: &self.asks) { lists += 1 }
                } else {
                    try reader.skipValue()
                }
            }
            guard lists == 2 else { return nil }
        } catch {
            return nil
        }
    }
}
