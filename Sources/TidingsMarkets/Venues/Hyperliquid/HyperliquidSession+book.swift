import Tidings

/// Order books: each frame is the whole book.
extension HyperliquidSession {
    mutating func takeBook(
        _ fields: HyperliquidFields, _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        guard let index = self.index(of: fields.coin), let stream = self.plan.stream(.orderBook, of: index) else {
            return
        }
        output.hear(stream)
        guard let time = fields.time, Self.isMeant(time, at: receivedAt), fields.sides.count == 2,
            let timestamp = Timestamp(milliseconds: time)
        else {
            output.problems.append(.unreadable(frame, "a book without time or levels"))
            return
        }
        // After a break the same book may come again, which makes it one to rely on.
        let isWhole = self.coins[index].bookState == .whole
        if isWhole ? time > self.coins[index].bookTime : time >= self.coins[index].bookTime {
            self.coins[index].bookTime = time
            self.coins[index].book.replace(bids: LevelList(fields.sides[0]), asks: LevelList(fields.sides[1]))
            self.becomeWhole(index, into: &output)
            self.publish(index, timestamp, at: receivedAt, into: &output)
        }
        if let link = self.linkIndex(connection), self.links[link].books.insert(index).inserted {
            self.checkReady(connection, into: &output)
        }
    }

    private mutating func becomeWhole(_ index: Int, into output: inout VenueOutput) {
        if self.coins[index].bookState == .mending {
            output.notices.append(.resynced(symbol: self.coins[index].symbol))
        }
        self.coins[index].bookState = .whole
    }

    /// The book is not to be relied on until the next frame.
    mutating func distrustBook(_ index: Int, because reason: String, into output: inout VenueOutput) {
        self.coins[index].publisher.restart()
        guard self.coins[index].bookState != .mending else { return }
        self.coins[index].bookState = .mending
        output.notices.append(.resyncing(symbol: self.coins[index].symbol, reason: reason))
    }

    private mutating func publish(
        _ index: Int, _ timestamp: Timestamp, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard self.coins[index].book.isCrossed else {
            self.coins[index].isCrossed = false
            if let event = self.coins[index].publisher.update(
                self.coins[index].book, sequence: nil, timestamp: timestamp, receivedAt: receivedAt)
            {
                output.events.append(event)
            }
            return
        }
        // The next frame replaces it: there is nothing to ask for.
        guard !self.coins[index].isCrossed else { return }
        self.coins[index].isCrossed = true
        let coin = self.coins[index]
        output.problems.append(
            VenueOutput.Problem(
                code: "CROSSED_BOOK",
                message: "\(coin.symbol): the best bid is not below the best ask; not published until it is",
                details: [
                    "symbol": .string(coin.symbol.description),
                    "bid": coin.book.bestBid.map { .number($0.price) } ?? .null,
                    "ask": coin.book.bestAsk.map { .number($0.price) } ?? .null,
                ]))
    }
}
