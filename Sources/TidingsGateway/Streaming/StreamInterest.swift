import Tidings

/// What a client wants to see. Clients that want the same share what is made for them.
enum StreamInterest: Hashable, Sendable {
    /// The pairs that a WebSocket has subscribed to.
    case pairs(Set<SubscriptionPair>)
    /// The filter that an SSE stream was opened with.
    case filter(EventFilter)
    /// Of that, what may be seen.
    indirect case within(EventRights, StreamInterest)
}

/// A symbol and a type that somebody subscribed to, and the sources it was asked for with.
struct SubscriptionPair: Hashable, Sendable {
    /// In capitals; nil for `*`.
    let symbol: Name?
    let type: EventTypePattern
    /// In order; empty when any will do.
    let sources: [Name]

    /// - Parameter symbol: as the client spelt it.
    init(symbol: String, type: EventTypePattern, sources: [Name]) {
        self.symbol = symbol == "*" ? nil : Name(symbol.uppercased())
        self.type = type
        self.sources = sources
    }

    func matchesRest(_ event: borrowing StandardEvent) -> Bool {
        (self.sources.isEmpty || self.sources.contains(event.source)) && self.type.matches(event.eventType)
    }
}

/// An interest, made ready for asking.
struct InterestMatcher {
    private let filter: EventFilter?
    private var anySymbol: [SubscriptionPair] = []
    private var bySymbol: [Name: [SubscriptionPair]] = [:]
    private var rights = EventRights.all
    /// Whether type, symbol and source of an event decide.
    let dependsOnEnvelopeOnly: Bool

    init(_ interest: StreamInterest) {
        var wanted = interest
        if case .within(let rights, let inner) = interest { (self.rights, wanted) = (rights, inner) }
        switch wanted {
        case .within:
            // Nobody puts rights around rights; if so, nothing is seen.
            self.filter = nil
            self.dependsOnEnvelopeOnly = true
        case .filter(let filter):
            self.filter = filter
            self.dependsOnEnvelopeOnly =
                filter.items.isEmpty && filter.correlationID == nil && filter.since == nil && filter.until == nil
        case .pairs(let pairs):
            self.filter = nil
            self.dependsOnEnvelopeOnly = true
            for pair in pairs {
                if let symbol = pair.symbol {
                    self.bySymbol[symbol, default: []].append(pair)
                } else {
                    self.anySymbol.append(pair)
                }
            }
        }
    }

    func matches(_ event: borrowing StandardEvent) -> Bool {
        guard self.rights.includes(event) else { return false }
        if let filter = self.filter { return filter.matches(event) }
        for pair in self.anySymbol where pair.matchesRest(event) { return true }
        guard !self.bySymbol.isEmpty else { return false }
        for symbol in event.payload.symbolSpellings {
            for pair in self.bySymbol[symbol.folded] ?? [] where pair.matchesRest(event) { return true }
        }
        return false
    }

    /// The pairs that an event matches.
    func pairs(matching event: borrowing StandardEvent) -> [SubscriptionPair] {
        guard self.rights.includes(event) else { return [] }
        var found: [SubscriptionPair] = []
        for pair in self.anySymbol where pair.matchesRest(event) { found.append(pair) }
        guard !self.bySymbol.isEmpty else { return found }
        for symbol in event.payload.symbolSpellings {
            for pair in self.bySymbol[symbol.folded] ?? [] where pair.matchesRest(event) { found.append(pair) }
        }
        return found
    }
}
