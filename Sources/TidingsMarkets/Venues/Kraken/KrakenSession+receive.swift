public import Tidings

extension KrakenSession {
    public mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        if let link = self.linkIndex(connection) { self.links[link].heardAt = receivedAt.nanoseconds }
        do throws(JSONSyntaxError) {
            try self.frame.read(frame, self.names)
        } catch {
            output.problems.append(.unreadable(frame, error.message))
            return self.distrustBooks(after: frame, on: connection, at: receivedAt, into: &output)
        }
        if let flaw = self.frame.flaw {
            output.problems.append(.unreadable(frame, flaw))
            if case .data(.book) = self.frame.kind {
                self.distrustBooks(after: frame, on: connection, at: receivedAt, into: &output)
            }
        }
        switch self.frame.kind {
        case .data(.book):
            for part in 0..<self.frame.bookCount where !self.frame.books[part].isWhole {
                output.problems.append(.unreadable(frame, "a book with levels that are none, or without checksum"))
                break
            }
            self.takeBooks(on: connection, at: receivedAt, into: &output)
        case .data(.trade): self.takeTrades(frame, on: connection, at: receivedAt, into: &output)
        case .data(.ticker): self.takeTickers(frame, on: connection, at: receivedAt, into: &output)
        case .data(.ohlc): self.takeCandles(frame, on: connection, at: receivedAt, into: &output)
        case .status: self.takeStatus(into: &output)
        case .answer: self.takeAnswer(on: connection, at: receivedAt, into: &output)
        case .heartbeat, .unknown: break
        }
    }

    /// A frame cannot be read and may have been a change of a book: those books that it names are asked for anew, or all
    /// of its connection where it names none, as a change below the ten levels of the checksum would not be missed.
    private mutating func distrustBooks(
        after frame: UnsafeRawBufferPointer, on connection: Int, at now: Timestamp, into output: inout VenueOutput
    ) {
        guard self.plan.channels.contains(.orderBook) else { return }
        let ours = self.markets.indices.filter { self.markets[$0].bookConnection == connection }
        guard !ours.isEmpty else { return }
        let text = String(decoding: frame.prefix(4096), as: UTF8.self)
        let named = Set(
            self.names.entries.filter { text.contains("\"" + $0.name.description + "\"") }.map(\.instrument))
        for index in ours where named.isEmpty || named.contains(index) {
            guard self.markets[index].bookState == .whole else { continue }
            self.mend(index, because: "an unreadable frame", at: now, into: &output)
        }
    }

    public mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        switch request.purpose {
        case .lostTrades(let index, let range):
            self.takeLostTrades(answer, request, index, range, at: receivedAt, into: &output)
        case .recent(.ohlcv, let index):
            self.takeMissedCandles(answer, index, at: receivedAt, into: &output)
        case .recent, .instruments, .book, .history: break
        }
    }
}
