import Tidings

/// The pairs that one connection has subscribed to, and which part of the log each has covered.
///
/// An event is due once per connection, however many pairs it matches and however often the client goes back to an
/// earlier offset: what a pair has delivered already is remembered while history is sent again for another.
struct SubscriptionTable {
    private struct Coverage {
        /// Events above this offset are wanted.
        var after: Int64
        /// Offsets above the lower bound and up to the upper one were delivered before the client went back.
        var delivered: [Range<Int64>] = []

        func hasDelivered(_ offset: Int64) -> Bool {
            self.delivered.contains { $0.lowerBound < offset && offset <= $0.upperBound }
        }
    }

    private var coverage: [SubscriptionPair: Coverage] = [:]

    var isEmpty: Bool { self.coverage.isEmpty }
    var count: Int { self.coverage.count }
    var pairs: Set<SubscriptionPair> { Set(self.coverage.keys) }

    /// Adds pairs from `after` on; those that are there already go on as they were, or go back.
    mutating func add(_ pairs: some Sequence<SubscriptionPair>, after: Int64) {
        for pair in pairs {
            if let known = self.coverage[pair] {
                self.coverage[pair]?.after = min(known.after, after)
            } else {
                self.coverage[pair] = Coverage(after: after)
            }
        }
    }

    /// Takes out the pairs of some symbols, of one type or all, whatever the sources; returns how many (symbol, type)
    /// went.
    mutating func remove(symbols: [String], types: [EventTypePattern]?) -> Int {
        struct Place: Hashable {
            let symbol: Name?
            let type: EventTypePattern
        }
        let wanted = Set(symbols.map { $0 == "*" ? nil : Name($0.uppercased()) })
        var removed = Set<Place>()
        for pair in self.coverage.keys where wanted.contains(pair.symbol) && types?.contains(pair.type) ?? true {
            removed.insert(Place(symbol: pair.symbol, type: pair.type))
            self.coverage[pair] = nil
        }
        return removed.count
    }

    /// Notes that everything up to `cursor` was delivered, before the cursor is set back.
    mutating func willRewind(from cursor: Int64) {
        for (pair, coverage) in self.coverage where coverage.after < cursor {
            var merged = coverage.delivered.filter { $0.upperBound > cursor }
            merged.append(coverage.after..<cursor)
            self.coverage[pair]?.delivered = merged
        }
    }

    /// Forgets what was delivered before: the cursor is past all of it.
    mutating func didCatchUp() {
        for (pair, coverage) in self.coverage where !coverage.delivered.isEmpty {
            self.coverage[pair]?.delivered = []
        }
    }

    /// Whether an event is to be sent, given the pairs it matches.
    func isDue(_ offset: Int64, matching pairs: [SubscriptionPair]) -> Bool {
        var isWanted = false
        for pair in pairs {
            guard let coverage = self.coverage[pair], offset > coverage.after else { continue }
            if coverage.hasDelivered(offset) { return false }
            isWanted = true
        }
        return isWanted
    }

    /// A filter for reading the log that lets through everything that may be due, and whether exactly that.
    func logFilter(after cursor: Int64) -> (filter: EventFilter, isExact: Bool) {
        var symbols = Set<Name>()
        var types = Set<EventTypePattern>()
        var sources = Set<Name>()
        var (anySymbol, anyType, anySource) = (false, false, false)
        for pair in self.coverage.keys {
            if let symbol = pair.symbol { symbols.insert(symbol) } else { anySymbol = true }
            if pair.type == .all { anyType = true }
            types.insert(pair.type)
            if pair.sources.isEmpty { anySource = true }
            sources.formUnion(pair.sources)
        }
        let symbolCount = symbols.count + (anySymbol ? 1 : 0)
        let isProduct = self.coverage.count == symbolCount * types.count && (symbolCount == 1 || !anySymbol)
        let isUniform = Set(self.coverage.keys.map(\.sources)).count <= 1
        let isSimple = self.coverage.values.allSatisfy { $0.delivered.isEmpty && $0.after <= cursor }
        // A long list costs a log more than reading a little too much.
        let filter = EventFilter(
            types: anyType || types.count > Self.longestList ? [] : Array(types),
            symbols: anySymbol || symbols.count > Self.longestList ? [] : symbols.map(\.description),
            sources: anySource || sources.count > Self.longestList ? [] : Array(sources))
        let isWhole =
            (anyType || types.count <= Self.longestList) && (anySymbol || symbols.count <= Self.longestList)
            && (anySource || sources.count <= Self.longestList)
        return (filter, isProduct && isUniform && isSimple && isWhole)
    }

    private static let longestList = 64
}
