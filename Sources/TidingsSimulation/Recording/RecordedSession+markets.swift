internal import Tidings

/// What a recording tells of books and trades at each of its points.
extension RecordedSession {
    /// The topic whose frames a client gets for `topic`.
    func number(nearestTo topic: Topic) -> Int? {
        if let number = self.topicNumber(topic) { return number }
        for other in self.venue.alternatives(to: topic) {
            if let number = self.topicNumber(other) { return number }
        }
        return nil
    }

    /// The book that stands before all updates: the recorded answer's, or, where updates are numbered, an empty one
    /// just before the first of them.
    func firstBook(of symbol: String) -> SimulatedBook? {
        if let response = self.bookResponses[symbol] {
            var book = SimulatedBook(symbol: symbol)
            book.apply(response)
            return book
        }
        guard let number = self.topicNumber(self.venue.bookTopic(of: symbol)),
            let first = self.frameNumbers(of: number).first, let update = self.change(inFrame: first)?.first
        else { return nil }
        return SimulatedBook(symbol: symbol, sequence: update > 0 ? update - 1 : 0)
    }

    /// The book after the first `position` frames. Before its first frame it is what the recording begins with.
    func book(of symbol: String, position: Int, isRepeated: Bool) -> SimulatedBook? {
        let first = self.firstBook(of: symbol)
        let topic = self.venue.bookTopic(of: symbol)
        guard let number = self.topicNumber(topic) else { return first }
        let frames = self.frameNumbers(of: number)
        var count = self.count(of: number, before: position)
        if count == 0 {
            // Of a pass that has nothing on it yet, the end of the pass before counts.
            if isRepeated { count = frames.count } else if let first { return first } else { count = 1 }
        }
        let limit =
            self.acknowledgement(of: topic).flatMap { text in
                text.withUnsafeBytes { self.venue.bookDepth(inAcknowledgement: $0) }
            } ?? .max
        let cached = self.books.withLock { $0[number] }
        var (done, book) = (0, first ?? SimulatedBook(symbol: symbol))
        if let cached, cached.frames <= count { (done, book) = (cached.frames, cached.book) }
        for frame in frames[done..<count] {
            guard let change = self.change(inFrame: frame) else { continue }
            // What a numbered update says is in the book already when the book is newer.
            if let last = change.last, !change.isSnapshot, last <= book.sequence { continue }
            book.apply(change, limit: limit)
        }
        self.books.withLock { $0[number] = (count, book) }
        return book
    }

    private func change(inFrame frame: Int) -> BookChange? {
        self.withText(of: self.frames[frame]) { self.venue.bookChange(in: $0) }
    }

    /// The trades of the first `position` frames, oldest first, each once.
    func trades(of symbol: String, position: Int) -> [TradeRecord] {
        let number = self.venue.tradeTopics(of: symbol).lazy.compactMap { self.topicNumber($0) }.first
        guard let number else { return [] }
        let known = self.tradeLists.withLock { $0[number] }
        let all = known ?? self.readTrades(number)
        if known == nil { self.tradeLists.withLock { $0[number] = all } }
        return all.lazy.prefix { $0.frame < position }.map(\.trade)
    }

    private func readTrades(_ topic: Int) -> [(frame: Int, trade: TradeRecord)] {
        var all: [(frame: Int, trade: TradeRecord)] = []
        var seen: Set<UInt64> = []
        for frame in self.frameNumbers(of: topic) {
            for trade in self.withText(of: self.frames[frame], { self.venue.trades(in: $0) })
            where seen.insert(trade.id).inserted {
                all.append((frame, trade))
            }
        }
        return all
    }

    /// With as many digits as the numbers of its book and its trades have at most.
    func instrument(_ symbol: String) -> InstrumentRecord {
        var prices = 0
        var sizes = 0
        let book = self.book(of: symbol, position: 0, isRepeated: true)
        for level in (book?.bids ?? []) + (book?.asks ?? []) {
            prices = max(prices, decimalDigits(of: level.price))
            sizes = max(sizes, decimalDigits(of: level.size))
        }
        for trade in self.trades(of: symbol, position: .max) {
            prices = max(prices, decimalDigits(of: trade.price))
            sizes = max(sizes, decimalDigits(of: trade.size))
        }
        return InstrumentRecord(symbol: symbol, priceDigits: prices, sizeDigits: sizes)
    }
}
