import Tidings

/// The lists of Advanced Trade's frames.
extension JSONReader {
    /// `[{"side":"bid","price_level":"1","new_quantity":"2"}, ...]`; asks are called `offer`.
    ///
    /// - Returns: whether all of it were changes; what is none is left out.
    mutating func readAdvancedLevels(bids: inout LevelList, asks: inout LevelList) throws(JSONSyntaxError) -> Bool {
        guard try self.kind() == .array else {
            try self.skipValue()
            return false
        }
        var areLevels = true
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            guard try self.kind() == .object else {
                try self.skipValue()
                areLevels = false
                continue
            }
            var side: LocalBook.Side?
            var (price, size): (ExactDecimal?, ExactDecimal?)
            try self.beginObject()
            var isFirstKey = true
            while let key = try self.nextKey(isFirst: &isFirstKey) {
                switch key.bytes.count {
                case 4 where key.equals("side"):
                    side =
                        try self.looseText { text in
                            text.equals("bid") ? .bid : text.equals("offer") || text.equals("ask") ? .ask : nil
                        } ?? nil
                case 11 where key.equals("price_level"): price = try self.looseNumber()
                case 12 where key.equals("new_quantity"): size = try self.looseNumber()
                default: try self.skipValue()
                }
            }
            guard let side, let price, let size, size >= .zero else {
                areLevels = false
                continue
            }
            if side == .bid { bids.append(price: price, size: size) } else { asks.append(price: price, size: size) }
        }
        return areLevels
    }

    /// The numbers of a ticker, and whose it is.
    mutating func advancedTicker() throws(JSONSyntaxError) -> (ticker: Ticker, product: RawJSONString?) {
        var ticker = Ticker(symbol: "")
        var product: RawJSONString?
        try self.beginObject()
        var isFirst = true
        while let key = try self.nextKey(isFirst: &isFirst) {
            if key.equals("product_id") {
                product = try self.looseText { $0 }
            } else if key.equals("price") {
                ticker.price = try self.looseNumber()
            } else if key.equals("volume_24_h") {
                ticker.volume = try self.looseNumber()
            } else if key.equals("best_bid") {
                ticker.bid = try self.looseNumber()
            } else if key.equals("best_bid_quantity") {
                ticker.bidVolume = try self.looseNumber()
            } else if key.equals("best_ask") {
                ticker.ask = try self.looseNumber()
            } else if key.equals("best_ask_quantity") {
                ticker.askVolume = try self.looseNumber()
            } else {
                try self.skipValue()
            }
        }
        return (ticker, product)
    }

    /// `[{"start":"1688998200","high":..,"low":..,"open":..,"close":..,"volume":..,"product_id":..}, ...]`, `nil` for each
    /// that has not all of its numbers.
    mutating func advancedCandles() throws(JSONSyntaxError) -> [(candle: CoinbaseCandle?, product: RawJSONString?)] {
        guard try self.kind() == .array else {
            try self.skipValue()
            return []
        }
        var candles: [(candle: CoinbaseCandle?, product: RawJSONString?)] = []
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            guard try self.kind() == .object else {
                try self.skipValue()
                candles.append((nil, nil))
                continue
            }
            candles.append(try self.advancedCandle())
        }
        return candles
    }

    private mutating func advancedCandle() throws(JSONSyntaxError) -> (
        candle: CoinbaseCandle?, product: RawJSONString?
    ) {
        var start: Int64?
        var (low, high, open, close): (ExactDecimal?, ExactDecimal?, ExactDecimal?, ExactDecimal?)
        var volume: ExactDecimal?
        var product: RawJSONString?
        try self.beginObject()
        var isFirst = true
        while let key = try self.nextKey(isFirst: &isFirst) {
            switch key.bytes.count {
            case 3 where key.equals("low"): low = try self.looseNumber()
            case 4 where key.equals("high"): high = try self.looseNumber()
            case 4 where key.equals("open"): open = try self.looseNumber()
            case 5 where key.equals("close"): close = try self.looseNumber()
            case 5 where key.equals("start"): start = try self.count().flatMap { Int64(exactly: $0) }
            case 6 where key.equals("volume"): volume = try self.looseNumber()
            case 10 where key.equals("product_id"): product = try self.looseText { $0 }
            default: try self.skipValue()
            }
        }
        guard let start, let low, let high, let open, let close, let volume else { return (nil, product) }
        return (
            CoinbaseCandle(start: start, low: low, high: high, open: open, close: close, volume: volume), product
        )
    }
}
