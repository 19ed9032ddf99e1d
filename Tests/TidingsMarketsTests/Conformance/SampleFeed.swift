import Tidings
import TidingsMarkets
import TidingsTesting

/// What the exchanges of the conformance runs have in common: their books and trades.
struct SampleFeed: Sendable {
    var books: [SampleBook]
    /// Oldest first.
    var trades: [[SampleTrade]]

    init(instruments: Int) {
        self.books = Array(repeating: SampleBook(), count: instruments)
        self.trades = Array(repeating: [], count: instruments)
    }

    mutating func take(_ event: SampleEvent) {
        switch event {
        case .trade(let trade):
            // What is told twice happened once.
            if !self.trades[trade.instrument].contains(where: { $0.number == trade.number }) {
                self.trades[trade.instrument].append(trade)
            }
        case .book(let instrument, let changes, _): self.books[instrument].apply(changes)
        case .ticker: break
        }
    }

    /// `["price","size"]` pairs.
    func list(_ instrument: Int, _ side: LocalBook.Side) -> String {
        "[" + self.books[instrument].levels(side).map { #"["\#($0.price)","\#($0.size)"]"# }.joined(separator: ",")
            + "]"
    }
}

extension [SampleLevel] {
    /// `["price","size"]` pairs of one side.
    func list(_ side: LocalBook.Side) -> String {
        "[" + self.filter { $0.side == side }.map { #"["\#($0.price)","\#($0.size)"]"# }.joined(separator: ",") + "]"
    }
}

extension Timestamp {
    var milliseconds: Int64 { self.nanoseconds / 1_000_000 }
}

extension String {
    /// What a client sent, as JSON.
    var object: JSONObject? {
        var text = self
        return text.withUTF8 { bytes in try? JSONObject(json: UnsafeRawBufferPointer(bytes)) }
    }

    /// The value of a parameter in a path's query.
    func parameter(_ name: String) -> String? {
        guard let query = self.split(separator: "?").dropFirst().first else { return nil }
        return query.split(separator: "&").first { $0.hasPrefix("\(name)=") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }
}

extension VenueAnswer {
    static func text(_ text: String) -> VenueAnswer { .body(Array(text.utf8)) }
    static var notFound: VenueAnswer { .failure(status: 404, reason: "no such path") }
}
