import Tidings

@testable import TidingsMarkets

/// The feed of ``ExampleVenue``, without I/O.
struct ExampleSession: VenueSession {
    /// What is known of one instrument, across connections.
    private struct Market {
        let instrument: Instrument
        var ledger = TradeLedger()
        var lastQuote: UInt64 = 0
        var book = LocalBook()
        var publisher: BookPublisher
        /// The number of the last book update; `nil` until the whole book has come on this connection.
        var bookNumber: UInt64?
        /// Whether something is known to be wrong, rather than nothing being known yet.
        var isMending = false
    }

    /// The channels as the exchange names them.
    private static let channels: [(MarketChannel, String)] = [
        (.trade, "trades"), (.ticker, "quotes"), (.orderBook, "book"),
    ]
    /// So many trades are asked for again at most; a longer loss is only told of.
    private static let longestRefill: UInt64 = 1000

    private let plan: FeedPlan
    private var markets: [Market]
    private var connections: [Int] = []
    /// Streams that are not confirmed yet on the newest connection.
    private var unconfirmed: Set<Int> = []

    init(_ plan: FeedPlan) {
        self.plan = plan
        self.markets = plan.instruments.map { instrument in
            Market(
                instrument: instrument,
                publisher: BookPublisher(plan.book, source: "example", instrument: instrument))
        }
    }

    // MARK: Connections

    mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.connections.append(connection)
        self.unconfirmed = Set(self.plan.streams.indices)
        for index in self.markets.indices {
            for (channel, name) in Self.channels where self.plan.stream(channel, of: index) != nil {
                self.send("subscribe", name, index, on: connection, into: &output)
            }
        }
    }

    mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.connections.removeAll { $0 == connection }
        guard self.connections.isEmpty else { return }
        for index in self.markets.indices { self.markets[index].bookNumber = nil }
    }

    mutating func tick(at now: Timestamp, into output: inout VenueOutput) {
        for index in self.markets.indices where self.book(of: index)?.isLive == true {
            let book = self.markets[index].book
            if let event = self.markets[index].publisher.tick(book, at: now) { output.events.append(event) }
        }
    }

    mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        let streams = self.plan.streams
        guard streams.indices.contains(stream), let connection = self.connections.last else { return }
        let index = stream / self.plan.channels.count
        for (channel, name) in Self.channels where channel == streams[stream].channel {
            self.send("unsubscribe", name, index, on: connection, into: &output)
            self.send("subscribe", name, index, on: connection, into: &output)
        }
    }

    private func send(
        _ operation: String, _ channel: String, _ index: Int, on connection: Int, into output: inout VenueOutput
    ) {
        let market = self.markets[index].instrument.venueSymbol
        output.send(#"{"op":"\#(operation)","channel":"\#(channel)","market":"\#(market)"}"#, on: connection)
    }

    // MARK: Frames

    mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let object: JSONObject
        do throws(VenueError) {
            object = try ExampleVenue.object(frame)
        } catch {
            output.problems.append(.unreadable(frame, error.message))
            return
        }
        let read = ExampleFrame(object)
        guard let index = self.markets.firstIndex(where: { $0.instrument.venueSymbol == read.market }) else { return }
        switch read.type {
        case "subscribed": self.confirm(read.channel, index, connection, into: &output)
        case "trade":
            output.hear(self.plan.stream(.trade, of: index))
            guard let event = read.trade(of: self.markets[index].instrument, receivedAt), let number = read.number
            else {
                output.problems.append(.unreadable(frame, "a trade without number, price, size or time"))
                return
            }
            self.take(event, number, index, into: &output)
        case "quote":
            output.hear(self.plan.stream(.ticker, of: index))
            guard let event = read.ticker(of: self.markets[index].instrument, receivedAt), let number = read.number
            else { return }
            if number > self.markets[index].lastQuote { output.events.append(event) }
            self.markets[index].lastQuote = max(number, self.markets[index].lastQuote)
        case "book":
            output.hear(self.plan.stream(.orderBook, of: index))
            self.takeBook(read, index, receivedAt, into: &output)
        default: break
        }
    }

    private mutating func confirm(
        _ channel: String, _ index: Int, _ connection: Int, into output: inout VenueOutput
    ) {
        guard connection == self.connections.last, let known = Self.channels.first(where: { $0.1 == channel }),
            let stream = self.plan.stream(known.0, of: index), self.unconfirmed.remove(stream) != nil
        else { return }
        output.notices.append(.confirmed(stream: stream))
        if self.unconfirmed.isEmpty { output.notices.append(.ready(connection: connection)) }
    }

    // MARK: Trades

    private mutating func take(_ event: StandardEvent, _ number: UInt64, _ index: Int, into output: inout VenueOutput) {
        let verdict = self.markets[index].ledger.take(number)
        if verdict == .known { return }
        output.events.append(event)
        guard case .newAfterGap(let lost) = verdict else { return }
        let instrument = self.markets[index].instrument
        output.problems.append(
            VenueOutput.Problem(
                code: "SEQUENCE_GAP", message: "trades of \(instrument.symbol) are missing",
                details: [
                    "symbol": .string(instrument.symbol), "from": .string("\(lost.lowerBound)"),
                    "to": .string("\(lost.upperBound)"),
                ]))
        guard lost.upperBound - lost.lowerBound < Self.longestRefill else {
            self.markets[index].ledger.giveUp(lost)
            return
        }
        output.requests.append(
            VenueRequest(
                .lostTrades(index, lost), .get,
                "/trades?market=\(instrument.venueSymbol)&from=\(lost.lowerBound)&to=\(lost.upperBound)"))
    }

    mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard case .lostTrades(let index, let lost) = request.purpose, self.markets.indices.contains(index) else {
            return
        }
        if case .body(let body) = answer, let object = try? body.withUnsafeBytes({ try ExampleVenue.object($0) }) {
            for trade in object["trades"]?.array ?? [] {
                guard let frame = trade.object.map({ ExampleFrame($0) }), let number = frame.number,
                    lost.contains(number), let event = frame.trade(of: self.markets[index].instrument, receivedAt)
                else { continue }
                if self.markets[index].ledger.take(number) != .known { output.events.append(event) }
            }
        }
        self.markets[index].ledger.giveUp(lost)
    }

    // MARK: Books

    func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? {
        guard self.markets.indices.contains(instrument) else { return nil }
        let market = self.markets[instrument]
        return (market.book, market.bookNumber != nil && !market.isMending)
    }

    private mutating func takeBook(
        _ frame: ExampleFrame, _ index: Int, _ receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let number = frame.number else { return }
        if frame.isWholeBook {
            self.markets[index].book = LocalBook(bids: frame.levels("bids"), asks: frame.levels("asks"))
            self.markets[index].bookNumber = number
            self.markets[index].publisher.restart()
        } else {
            guard let last = self.markets[index].bookNumber, number > last else { return }
            guard number - last == 1 else {
                self.markets[index].bookNumber = nil
                return self.mend(index, "SEQUENCE_GAP", "update \(number) came after \(last)", into: &output)
            }
            for level in frame.levels("bids") {
                self.markets[index].book.set(.bid, price: level.price, size: level.volume)
            }
            for level in frame.levels("asks") {
                self.markets[index].book.set(.ask, price: level.price, size: level.volume)
            }
            self.markets[index].bookNumber = number
        }
        if self.markets[index].book.isCrossed {
            // Asked for once; where the whole book is crossed as well, that is how the exchange has it, and nothing is told
            // until it is not.
            if !self.markets[index].isMending {
                self.mend(index, "CROSSED_BOOK", "the best bid is not below the best ask", into: &output)
            }
            return
        }
        if self.markets[index].isMending {
            self.markets[index].isMending = false
            output.notices.append(.resynced(symbol: Name(self.markets[index].instrument.symbol)))
        }
        let book = self.markets[index].book
        if let event = self.markets[index].publisher.update(
            book, sequence: number, timestamp: frame.time, receivedAt: receivedAt)
        {
            output.events.append(event)
        }
    }

    /// The book is not to be relied on: asks for it anew, and for nothing else.
    private mutating func mend(_ index: Int, _ code: String, _ reason: String, into output: inout VenueOutput) {
        let symbol = self.markets[index].instrument.symbol
        output.problems.append(
            VenueOutput.Problem(code: code, message: "\(symbol): \(reason)", details: ["symbol": .string(symbol)]))
        if !self.markets[index].isMending {
            self.markets[index].isMending = true
            output.notices.append(.resyncing(symbol: Name(symbol), reason: reason))
        }
        if let stream = self.plan.stream(.orderBook, of: index), let connection = self.connections.last, stream >= 0 {
            self.send("unsubscribe", "book", index, on: connection, into: &output)
            self.send("subscribe", "book", index, on: connection, into: &output)
        }
    }
}
