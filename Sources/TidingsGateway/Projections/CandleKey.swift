import Tidings

/// Whose candles belong together.
struct CandleKey: Hashable {
    /// The event's source: the venue, or `candles`.
    let source: Name
    /// Of candles of our own: the venue they are made from.
    let origin: Name?
    let symbol: Name
    let venueSymbol: Name?

    init(_ candle: Candle, source: Name) {
        self.source = source
        self.origin = candle.origin
        self.symbol = candle.symbol
        self.venueSymbol = candle.context.venueSymbol
    }

    /// What `source` has to be to mean these candles and no others: `binance`, or `candles:binance`.
    var sourceText: String {
        self.origin.map { "\(self.source):\($0)" } ?? self.source.description
    }

    func isNamed(_ symbol: Name) -> Bool {
        self.symbol.folded == symbol || self.venueSymbol?.folded == symbol
    }
}

/// The `source` of a request: a venue, `candles`, or `candles:` and the venue they are made from.
struct CandleSource {
    let text: String
    let source: Name
    let origin: Name?

    init(_ text: String) {
        self.text = text
        let parts = text.split(separator: ":", maxSplits: 1)
        if parts.count == 2, parts[0] == "candles" {
            self.source = "candles"
            self.origin = Name(String(parts[1]))
        } else {
            self.source = Name(text)
            self.origin = nil
        }
    }

    func matches(_ key: CandleKey) -> Bool {
        key.source == self.source && (self.origin == nil || self.origin == key.origin)
    }
}

/// Candles by their start, the newest version of each.
typealias CandleSet = [Int64: Candle]
