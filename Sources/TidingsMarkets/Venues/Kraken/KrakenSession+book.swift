import Tidings

/// Order books.
extension KrakenSession {
    mutating func takeBooks(on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput) {
        for part in 0..<self.frame.bookCount {
            guard let name = self.frame.books[part].market else { continue }
            let index = self.names.entries[name].instrument
            guard let stream = self.stream(.book, index) else { continue }
            guard self.isMeant(index, for: connection) else { continue }
            guard self.frame.books[part].isWhole else {
                self.lost(index, because: "a book message cannot be read", at: receivedAt, into: &output)
                continue
            }
            if self.frame.isSnapshot {
                self.begin(index, part, self.names.entries[name].name, on: connection)
            } else {
                guard self.markets[index].bookState == .whole else { continue }
                self.markets[index].book.apply(self.frame.books[part].bids, to: .bid)
                self.markets[index].book.apply(self.frame.books[part].asks, to: .ask)
            }
            // Without the venue's answer the greatest depth that there is; a repair counts on the answer.
            self.markets[index].book.cut(to: self.markets[index].depth ?? 1000)
            guard self.check(index, part, at: receivedAt, into: &output) else { continue }
            output.hear(stream)
            if self.frame.isSnapshot { self.becomeWhole(index, on: connection, at: receivedAt, into: &output) }
            self.publish(index, self.frame.books[part].timestamp, at: receivedAt, into: &output)
        }
    }

    /// Whether a connection's book message is to be looked at: updates from the one whose snapshot was taken, snapshots
    /// from that one and newer ones.
    private func isMeant(_ index: Int, for connection: Int) -> Bool {
        guard let current = self.markets[index].bookConnection else {
            // While it is mended on a newer connection, an older one has nothing to say.
            guard self.frame.isSnapshot else { return false }
            return self.markets[index].bookState != .mending || connection >= self.newest ?? .min
        }
        if connection == current { return self.frame.isSnapshot || self.markets[index].bookState == .whole }
        return connection > current && self.frame.isSnapshot
    }

    private mutating func begin(_ index: Int, _ part: Int, _ name: Name, on connection: Int) {
        self.markets[index].bookConnection = connection
        if self.markets[index].wireName != name {
            self.markets[index].wireName = name
            let instrument = self.markets[index].instrument
            self.markets[index].publisher = BookPublisher(
                self.plan.book, source: Self.source,
                instrument: Instrument(
                    symbol: instrument.symbol, venueSymbol: name.description, kind: instrument.kind))
        }
        self.markets[index].book.replace(bids: self.frame.books[part].bids, asks: self.frame.books[part].asks)
        self.markets[index].publisher.restart()
    }

    private mutating func becomeWhole(
        _ index: Int, on connection: Int, at now: Timestamp, into output: inout VenueOutput
    ) {
        if self.markets[index].bookState == .mending {
            output.notices.append(.resynced(symbol: self.markets[index].symbol))
        }
        self.markets[index].bookState = .whole
        self.markets[index].wholeSince = now.nanoseconds
        self.markets[index].repair.next = .max
        self.checkReady(connection, into: &output)
    }

    private mutating func publish(
        _ index: Int, _ timestamp: Timestamp?, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        if self.markets[index].book.isCrossed {
            guard !self.markets[index].isCrossed else { return }
            self.markets[index].isCrossed = true
            // The checksum says that this is the venue's own book: asking for it anew would bring the same.
            let market = self.markets[index]
            output.problems.append(
                VenueOutput.Problem(
                    code: "CROSSED_BOOK",
                    message: "\(market.symbol): the best bid is not below the best ask; not published until it is",
                    details: [
                        "symbol": .string(market.symbol.description),
                        "bid": market.book.bestBid.map { .number($0.price) } ?? .null,
                        "ask": market.book.bestAsk.map { .number($0.price) } ?? .null,
                    ]))
            return
        }
        self.markets[index].isCrossed = false
        if let event = self.markets[index].publisher.update(
            self.markets[index].book, sequence: nil, timestamp: timestamp, receivedAt: receivedAt)
        {
            output.events.append(event)
        }
    }

    // MARK: Checksums

    /// The venue writes numbers with all the digits of the instrument, but what passes them on may not: then zeros are
    /// added, where the instrument's digits are known.
    private mutating func check(
        _ index: Int, _ part: Int, at now: Timestamp, into output: inout VenueOutput
    ) -> Bool {
        let expected = self.frame.books[part].checksum ?? .max
        let got = self.markets[index].book.checksum()
        if UInt64(got) == expected { return true }
        let instrument = self.markets[index].instrument
        if instrument.priceScale != nil || instrument.sizeScale != nil {
            let padded = self.markets[index].book.checksum(
                priceScale: instrument.priceScale, sizeScale: instrument.sizeScale)
            if UInt64(padded) == expected { return true }
        }
        output.problems.append(
            VenueOutput.Problem(
                code: "CHECKSUM", message: "\(instrument.symbol): the book's checksum is not the venue's",
                details: [
                    "symbol": .string(instrument.symbol),
                    "expected": .number(ExactDecimal("\(expected)") ?? .zero),
                    "got": .number(ExactDecimal(Int(got))),
                ]))
        if self.frame.isSnapshot, self.markets[index].bookState == .mending {
            // What was asked for has come, and is wrong as well.
            self.markets[index].repair.next = Self.add(self.pause(index), to: now.nanoseconds)
        }
        self.mend(index, because: "checksum mismatch", at: now, into: &output)
        return false
    }

    // MARK: Repair

    /// A book message of a market is lost, or may be.
    mutating func lost(_ index: Int, because reason: String, at now: Timestamp, into output: inout VenueOutput) {
        let symbol = self.markets[index].symbol
        if self.markets[index].bookState == .whole {
            output.problems.append(
                VenueOutput.Problem(
                    code: "SEQUENCE_GAP", message: "\(symbol): \(reason)", details: ["symbol": .string("\(symbol)")]))
        }
        self.mend(index, because: reason, at: now, into: &output)
    }

    /// The book is not to be relied on from now on: it is asked for anew, and nothing else is.
    mutating func mend(_ index: Int, because reason: String, at now: Timestamp, into output: inout VenueOutput) {
        self.markets[index].publisher.restart()
        self.markets[index].isCrossed = false
        if self.markets[index].bookState == .mending {
            // The next attempt has its time.
            return
        }
        self.markets[index].bookState = .mending
        output.notices.append(.resyncing(symbol: self.markets[index].symbol, reason: reason))
        if self.markets[index].repair.attempts == 0 {
            self.repair(index, at: now, into: &output)
        } else {
            self.markets[index].repair.next = Self.add(self.pause(index), to: now.nanoseconds)
        }
    }

    /// One attempt; the next one follows when the book has not become whole by then.
    mutating func repair(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard let newest = self.newest else {
            self.markets[index].repair.next = .max
            return
        }
        self.markets[index].repair.attempts += 1
        if self.markets[index].repair.attempts > Self.maximumRepairs {
            self.markets[index].repair.attempts = 1
            self.markets[index].repair.next = Self.add(Self.snapshotTime, to: now.nanoseconds)
            output.replacement = .immediate(
                reason: "the book of \(self.markets[index].symbol) stayed broken after \(Self.maximumRepairs) attempts")
            return
        }
        self.markets[index].repair.next = Self.add(max(Self.snapshotTime, self.pause(index)), to: now.nanoseconds)
        self.markets[index].bookConnection = newest
        if self.markets[index].bookState == .whole { self.markets[index].bookState = .mending }
        self.ask(for: .book, index, at: now, into: &output)
    }

    /// 1, 2, 4, ... 30 s.
    private func pause(_ index: Int) -> Int64 {
        min(30_000_000_000, 1_000_000_000 << Int64(min(5, max(0, self.markets[index].repair.attempts - 1))))
    }
}
