/// Which events somebody wants: the one filter that bus, log, gateway and command line share.
///
/// Values of one field are alternatives, fields all have to agree, an empty field asks nothing.
public struct EventFilter: Sendable, Hashable {
    public var types: [EventTypePattern]
    /// Compared without case with the payload's `symbol` and `venue_symbol`. An event without a symbol matches only if
    /// none, or `*`, is asked for.
    public var symbols: [String] { didSet { self.foldSymbols() } }
    /// Compared exactly.
    public var sources: [Name]
    /// Compared exactly with the payload's `item`.
    public var items: [String]
    public var correlationID: EventID?
    /// Inclusive, on the event's timestamp.
    public var since: Timestamp?
    /// Exclusive, on the event's timestamp.
    public var until: Timestamp?

    private var foldedSymbols: [Name]

    public init(
        types: [EventTypePattern] = [],
        symbols: [String] = [],
        sources: [Name] = [],
        items: [String] = [],
        correlationID: EventID? = nil,
        since: Timestamp? = nil,
        until: Timestamp? = nil
    ) {
        self.types = types
        self.symbols = symbols
        self.sources = sources
        self.items = items
        self.correlationID = correlationID
        self.since = since
        self.until = until
        self.foldedSymbols = []
        self.foldSymbols()
    }

    /// Everything.
    public static let all = EventFilter()

    /// One type.
    public static func type(_ type: EventType) -> EventFilter {
        EventFilter(types: [.exact(type)])
    }

    /// Types by pattern.
    public static func types(_ patterns: EventTypePattern...) -> EventFilter {
        EventFilter(types: patterns)
    }

    private mutating func foldSymbols() {
        self.foldedSymbols = self.symbols.contains("*") ? [] : self.symbols.map { Name($0).folded }
    }

    /// The symbols asked for, in capitals; empty when any will do.
    package var requiredSymbols: [Name] { self.foldedSymbols }

    /// Whether every event matches.
    public var isUnrestricted: Bool {
        (self.types.isEmpty || self.types.contains(.all)) && self.restsUnrestricted
    }

    /// Whether nothing but the type matters.
    package var restsUnrestricted: Bool {
        self.foldedSymbols.isEmpty && self.sources.isEmpty && self.items.isEmpty && self.correlationID == nil
            && self.since == nil && self.until == nil
    }

    package func matchesType(_ type: EventType) -> Bool {
        self.types.isEmpty || self.types.contains { $0.matches(type) }
    }

    public func matches(_ event: borrowing StandardEvent) -> Bool {
        self.matchesType(event.eventType) && (self.restsUnrestricted || self.matchesRest(event))
    }

    /// Whether everything but the type matches.
    package func matchesRest(_ event: borrowing StandardEvent) -> Bool {
        if !self.sources.isEmpty && !self.sources.contains(event.source) { return false }
        if !self.foldedSymbols.isEmpty {
            let isWanted = event.payload.symbolSpellings.contains { self.foldedSymbols.contains($0.folded) }
            if !isWanted { return false }
        }
        if let since = self.since, event.timestamp < since { return false }
        if let until = self.until, event.timestamp >= until { return false }
        if let correlationID = self.correlationID, event.correlationID != correlationID { return false }
        if !self.items.isEmpty {
            guard let item = event.payload.item, self.items.contains(item) else { return false }
        }
        return true
    }
}
