import Tidings

/// The books that `order_book` events tell of, by venue and symbol, and whether they can be relied on, as
/// `connector_status` events say.
///
/// After `stale`, `resyncing`, `reconnecting` or `stopped`, of the symbol or of the whole connector, a book is not live
/// until its next event, because connectors publish none while a book is not whole; or until they say that it is whole
/// again, as it was: `subscribed` of the whole connector, or of the symbol with a reason. Without one it only says that
/// the venue has confirmed a subscription.
final class OrderBookProjection: Sendable {
    struct Key: Hashable {
        let source: Name
        let symbol: Name
        let venueSymbol: Name?
    }

    /// A book that was found.
    struct Found {
        let key: Key
        let book: OrderBook?
        let trouble: String?
    }

    private struct State: ~Copyable {
        var books: RecentTable<Key, BookState>
    }

    private let state: Locked<State>

    /// - Parameter capacity: the most books; the one that had no event for longest goes.
    init(capacity: Int = 10_000) {
        self.state = Locked(State(books: RecentTable(capacity: capacity)))
    }

    private static let troubles: Set<String> = ["stale", "resyncing", "reconnecting", "stopped"]

    // MARK: What comes in

    func observe(_ event: StandardEvent) {
        if event.eventType == .orderBook { return self.observe(book: event) }
        guard let status = Status(event) else { return }
        self.state.withLock { state in
            for place in state.books.indices where status.concerns(state.books.key(at: place)) {
                if let trouble = status.trouble {
                    state.books[place].fail(trouble)
                } else {
                    state.books[place].recover()
                }
            }
        }
    }

    private func observe(book event: StandardEvent) {
        guard let book = event.payload.orderBook else { return }
        let key = Key(
            source: event.source, symbol: book.symbol.folded, venueSymbol: book.context.venueSymbol?.folded)
        self.state.withLock { state in
            var isNew = false
            let place = state.books.place(
                of: key,
                make: {
                    isNew = true
                    return BookState(book, at: event.timestamp)
                })
            if !isNew { state.books[place].apply(book, at: event.timestamp) }
        }
    }

    /// Earlier events, in order, of books that nothing, or only changes, have come of since.
    func seed(_ events: [StandardEvent]) {
        let earlier = OrderBookProjection()
        for event in events { earlier.observe(event) }
        let found = earlier.state.withLock { state in
            state.books.indices.map { (state.books.key(at: $0), state.books[$0]) }
        }
        self.state.withLock { state in
            for (key, book) in found {
                let place = state.books.place(of: key, make: { book })
                state.books[place].base(on: book)
            }
        }
    }

    /// A state of a connector that its books suffer from, or the end of one.
    private struct Status {
        let connector: Name
        let symbol: Name?
        /// `nil`: it is over.
        let trouble: String?

        init?(_ event: StandardEvent) {
            let payload = event.payload.object
            guard event.eventType == .connectorStatus, let state = payload["state"]?.string else { return nil }
            self.connector = payload["connector"]?.string.map { Name($0) } ?? event.source
            self.symbol = payload["symbol"]?.string.map { Name($0).folded }
            let reason = payload["reason"]?.string
            if OrderBookProjection.troubles.contains(state) {
                self.trouble = state + (reason.map { ": \($0)" } ?? "")
            } else if state == "subscribed", self.symbol == nil || reason != nil {
                self.trouble = nil
            } else {
                return nil
            }
        }

        func concerns(_ key: Key) -> Bool {
            guard key.source == self.connector else { return false }
            return self.symbol == nil || self.symbol == key.symbol || self.symbol == key.venueSymbol
        }
    }

    // MARK: What is asked for

    /// The books of a symbol in either spelling and any case, of one source or all; where a source has several under one
    /// name, the one whose own spelling was asked for, else the one that had an event last.
    func find(_ symbol: String, source: String?) -> [Found] {
        let (name, source) = (Name(symbol).folded, source.map { Name($0) })
        return self.state.withLock { state in
            var best: [Name: Int] = [:]
            for place in state.books.indices {
                let key = state.books.key(at: place)
                guard key.symbol == name || key.venueSymbol == name, source == nil || source == key.source else {
                    continue
                }
                guard let other = best[key.source] else {
                    best[key.source] = place
                    continue
                }
                let isExact = key.venueSymbol == name
                let otherIsExact = state.books.key(at: other).venueSymbol == name
                let isNewer = state.books.lastUse(at: place) > state.books.lastUse(at: other)
                if isExact == otherIsExact ? isNewer : isExact { best[key.source] = place }
            }
            return best.values.sorted().map { place in
                let book = state.books[place].book()
                return Found(
                    key: state.books.key(at: place), book: book,
                    trouble: state.books[place].trouble ?? (book == nil ? "no snapshot has come yet" : nil))
            }
        }
    }
}
