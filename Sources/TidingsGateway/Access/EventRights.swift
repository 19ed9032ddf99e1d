import Tidings

/// Which events somebody may see and send.
///
/// What is outside of them does not exist for whoever has them: it is not listed, not streamed, and not found by its id.
struct EventRights: Hashable, Sendable {
    /// Empty when any.
    let types: [EventTypePattern]
    /// In capitals; empty when any. An event without a symbol is outside when there are some.
    let symbols: [Name]

    static let all = EventRights()

    /// - Parameters:
    ///   - types: in any order; `*` among them stands for all.
    ///   - symbols: in any case and order; `*` among them stands for all.
    init(types: [EventTypePattern] = [], symbols: [Name] = []) {
        // In order, so that two with the same rights are equal and share what is made for them.
        self.types = types.contains(.all) ? [] : Set(types).sorted { $0.text < $1.text }
        self.symbols =
            symbols.contains("*") ? [] : Set(symbols.map(\.folded)).sorted { $0.description < $1.description }
    }

    var isUnrestricted: Bool { self.types.isEmpty && self.symbols.isEmpty }

    func includes(type: EventType) -> Bool {
        self.types.isEmpty || self.types.contains { $0.matches(type) }
    }

    /// Whether one of the spellings of a symbol is among the symbols.
    func includes(symbol: Name?, _ other: Name? = nil) -> Bool {
        if self.symbols.isEmpty { return true }
        if let symbol, self.symbols.contains(symbol.folded) { return true }
        if let other, self.symbols.contains(other.folded) { return true }
        return false
    }

    /// Whether an event may be seen; its symbol counts in either spelling.
    func includes(_ event: borrowing StandardEvent) -> Bool {
        self.includes(type: event.eventType)
            && (self.symbols.isEmpty || self.includes(symbol: event.payload.symbol, event.payload.venueSymbol))
    }

    /// Whether an event may be seen that was read from a log; one that cannot be decoded may not.
    func includes(_ logged: LoggedEvent) -> Bool {
        if self.isUnrestricted { return true }
        guard let event = try? logged.event() else { return false }
        return self.includes(event)
    }

    /// Why an event may not be sent; nil when it may. What a sender calls the symbol by another name does not count: with
    /// it any symbol could be sent.
    func refusal(of event: borrowing StandardEvent) -> (field: String, message: String)? {
        guard self.includes(type: event.eventType) else {
            return ("event_type", "this token may not send events of type '\(event.eventType)'")
        }
        guard self.includes(symbol: event.payload.symbol) else {
            let symbol = event.payload.symbol.map { "of '\($0)'" } ?? "without a symbol"
            return ("payload.symbol", "this token may not send events \(symbol)")
        }
        return nil
    }

    /// A filter that lets through everything that the given one does and that is within the rights, and less of the rest,
    /// so that less has to be read.
    func narrowing(_ filter: EventFilter) -> EventFilter {
        var filter = filter
        if filter.types.isEmpty || filter.types.contains(.all) { filter.types = self.types }
        if filter.requiredSymbols.isEmpty && !self.symbols.isEmpty {
            filter.symbols = self.symbols.map(\.description)
        }
        return filter
    }
}
