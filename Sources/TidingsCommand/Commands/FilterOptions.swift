import ArgumentParser
import Tidings

/// The filters that every command shares.
struct FilterOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Event type or pattern: trade, login.*, *.", valueName: "pattern"))
    var type: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Symbol, in our spelling or the venue's: BTC-USD, BTC.", valueName: "symbol"))
    var symbol: [String] = []

    @Option(name: .long, help: ArgumentHelp("Source, such as hyperliquid.", valueName: "name"))
    var source: [String] = []

    @Option(name: .long, help: ArgumentHelp("Item of a scraper.", valueName: "item"))
    var item: [String] = []

    func validate() throws {
        _ = try self.filter()
    }

    /// The filter asked for. Values may be given by repeating a flag or with commas.
    func filter(
        since: Timestamp? = nil, until: Timestamp? = nil, correlationID: EventID? = nil
    ) throws(ValidationError) -> EventFilter {
        var types: [EventTypePattern] = []
        for text in Self.values(self.type) {
            guard let pattern = EventTypePattern(text) else {
                throw ValidationError("--type: '\(text)' is not an event type or a pattern such as trade, login.* or *")
            }
            types.append(pattern)
        }
        return EventFilter(
            types: types, symbols: Self.values(self.symbol), sources: Self.values(self.source).map { Name($0) },
            items: Self.values(self.item), correlationID: correlationID, since: since, until: until)
    }

    static func values(_ arguments: [String]) -> [String] {
        arguments.flatMap { $0.split(separator: ",").map(String.init) }
    }
}

/// A time given on the command line.
func parseTime(_ text: String?, flag: String) throws(ValidationError) -> Timestamp? {
    guard let text else { return nil }
    guard let time = Timestamp(expression: text) else {
        throw ValidationError(
            "\(flag): '\(text)' is not a time: RFC 3339 (2026-01-31T12:00:00Z), a date, or an age (90s, 15m, 2h, 7d)")
    }
    return time
}
