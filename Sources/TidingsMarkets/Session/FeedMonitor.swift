import Tidings

/// Watches that every symbol keeps talking. A machine: time comes in, what to do comes out.
struct FeedMonitor: Sendable {
    enum Step: Sendable, Equatable {
        /// A symbol has gone silent: ask for it anew.
        case resubscribe(Name)
        /// Asking anew did not help: replace the connection.
        case reconnect(Name)
        /// A symbol talks again.
        case recovered(Name)
    }

    private struct Watch {
        var heardAt: Int64
        var isStale = false
    }

    private let limit: Int64
    private var watches: [Name: Watch] = [:]

    /// - Parameter staleAfter: how long a symbol may be silent.
    init(symbols: [Name], staleAfter: Duration) {
        self.limit = Int64(staleAfter / .nanoseconds(1))
        for symbol in symbols { self.watches[symbol] = Watch(heardAt: 0) }
    }

    /// A connection was opened: every symbol has its time anew.
    mutating func connected(at now: Int64) {
        for symbol in self.watches.keys { self.watches[symbol] = Watch(heardAt: now) }
    }

    /// A symbol has said something.
    mutating func heard(_ symbol: Name, at now: Int64) -> Step? {
        guard let watch = self.watches[symbol] else { return nil }
        self.watches[symbol] = Watch(heardAt: now)
        return watch.isStale ? .recovered(symbol) : nil
    }

    /// Time has passed.
    mutating func tick(at now: Int64) -> [Step] {
        var steps: [Step] = []
        for (symbol, watch) in self.watches where now - watch.heardAt >= self.limit {
            steps.append(watch.isStale ? .reconnect(symbol) : .resubscribe(symbol))
            self.watches[symbol] = Watch(heardAt: now, isStale: true)
        }
        return steps.sorted { "\($0)" < "\($1)" }
    }
}
