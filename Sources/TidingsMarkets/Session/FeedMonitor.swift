/// Watches that every stream of a feed keeps talking. A machine: time comes in, what to do comes out.
///
/// Books and tickers of what is traded at all never rest: a *dense* stream that has said nothing for `staleAfter` is stale,
/// which is told, and it is asked for anew; if that does not help within another `staleAfter` its connection is replaced.
/// Trades and candles of a quiet market may well pause, so such a *sparse* stream is only asked for anew, without a word,
/// after ten times as long and no less than ten minutes. When the venue confirms that, all is well, and the market is
/// quiet; when it does neither confirm nor say anything within `staleAfter`, the stream is as stale as any other.
///
/// A stream for which connections were replaced in vain is given twice the time before each further one, up to 64 times:
/// one delisted symbol must not keep a whole feed busy.
struct FeedMonitor: Sendable {
    enum Step: Sendable, Equatable {
        /// A sparse stream has been silent for long: ask for it anew, and see whether the venue answers.
        case probe(Int)
        /// A stream is stale: tell of it, and ask for it anew.
        case resubscribe(Int)
        /// Asking anew did not help: replace the connection.
        case reconnect(Int)
    }

    private enum Mark: UInt8 {
        case well
        /// Asked for anew without a word.
        case probed
        case stale
        /// Stale, and the connection is being replaced because of it.
        case replacing
    }

    private struct Watch {
        var heardAt: Int64 = 0
        /// When something is due if nothing is heard, seen from `heardAt`.
        let limit: Int64
        let isSparse: Bool
        var mark = Mark.well
        /// Connections replaced in vain.
        var strikes: Int64 = 0
    }

    private static let sparseFactor: Int64 = 10
    private static let sparseMinimum: Int64 = 600_000_000_000
    private static let mostStrikes: Int64 = 6

    private let staleAfter: Int64
    private var watches: [Watch]

    /// - Parameters:
    ///   - channels: of each stream, by its number.
    ///   - staleAfter: how long a dense stream may be silent.
    init(channels: [MarketChannel], staleAfter: Duration) {
        // A tenth of what the clock can be moved by, so that no product overflows.
        let limit = min(max(staleAfter.boundedNanoseconds, 1), .max / 1000)
        self.staleAfter = limit
        self.watches = channels.map { channel in
            switch channel {
            case .orderBook, .ticker: Watch(limit: limit, isSparse: false)
            case .trade, .ohlcv:
                Watch(limit: max(limit * Self.sparseFactor, Self.sparseMinimum), isSparse: true)
            }
        }
    }

    /// A new connection carries the feed: every stream has its time anew. What was stale is so until it talks.
    mutating func connected(at now: Int64) {
        for index in self.watches.indices {
            self.watches[index].heardAt = now
            if self.watches[index].mark == .probed { self.watches[index].mark = .well }
            if self.watches[index].mark == .replacing { self.watches[index].mark = .stale }
        }
    }

    /// Nothing could be heard because nothing was read: no silence of the venue.
    mutating func paused(until now: Int64) {
        for index in self.watches.indices { self.watches[index].heardAt = now }
    }

    /// A stream has said something. `true` when it was stale.
    @inline(__always)
    mutating func heard(_ stream: Int, at now: Int64) -> Bool {
        guard self.watches.indices.contains(stream) else { return false }
        self.watches[stream].heardAt = now
        return self.watches[stream].mark == .well ? false : self.recover(stream)
    }

    /// The venue has confirmed the subscription to a stream. `true` when that ends its being stale.
    mutating func confirmed(_ stream: Int, at now: Int64) -> Bool {
        // A dense stream has to say something.
        guard self.watches.indices.contains(stream), self.watches[stream].isSparse else { return false }
        return self.heard(stream, at: now)
    }

    private mutating func recover(_ stream: Int) -> Bool {
        let wasTold = self.watches[stream].mark != .probed
        self.watches[stream].mark = .well
        self.watches[stream].strikes = 0
        return wasTold
    }

    /// Time has passed.
    mutating func tick(at now: Int64) -> [Step] {
        var steps: [Step] = []
        for stream in self.watches.indices {
            let watch = self.watches[stream]
            let silence = now - watch.heardAt
            switch watch.mark {
            case .well:
                guard silence >= watch.limit else { continue }
                self.watches[stream].mark = watch.isSparse ? .probed : .stale
                steps.append(watch.isSparse ? .probe(stream) : .resubscribe(stream))
                self.watches[stream].heardAt = now
            case .probed:
                guard silence >= self.staleAfter else { continue }
                self.watches[stream].mark = .stale
                self.watches[stream].heardAt = now
                steps.append(.resubscribe(stream))
            case .stale:
                guard silence >= self.staleAfter << watch.strikes else { continue }
                self.watches[stream].mark = .replacing
                self.watches[stream].strikes = min(watch.strikes + 1, Self.mostStrikes)
                self.watches[stream].heardAt = now
                steps.append(.reconnect(stream))
            case .replacing:
                // The replacement has not come about, or was for nothing.
                guard silence >= self.staleAfter << watch.strikes else { continue }
                self.watches[stream].mark = .stale
                self.watches[stream].heardAt = now
            }
        }
        return steps
    }
}
