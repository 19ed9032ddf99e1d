import Tidings

extension KrakenFrame.Book {
    /// `{"symbol":..,"bids":[{"price":..,"qty":..}],"asks":[..],"checksum":..,"timestamp":..}`, the reader at its brace.
    mutating func read(_ reader: inout JSONReader, _ names: KrakenWireNames) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("bids") {
                if try !reader.readPricedLevels(into: &self.bids) { self.isWhole = false }
            } else if key.equals("asks") {
                if try !reader.readPricedLevels(into: &self.asks) { self.isWhole = false }
            } else if key.equals("symbol") {
                self.isNamed = try reader.kind() == .string
                self.market = try reader.wireName(names)
            } else if key.equals("checksum") {
                self.checksum = try reader.count()
            } else if key.equals("timestamp") {
                self.timestamp = try reader.looseTimestamp()
            } else {
                try reader.skipValue()
            }
        }
        // Nothing of a book can be taken on trust.
        if self.checksum == nil { self.isWhole = false }
    }
}

extension KrakenFrame.Entry {
    mutating func read(_ reader: inout JSONReader, _ names: KrakenWireNames) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            try self.read(key, &reader, names)
        }
    }

    private mutating func read(
        _ key: RawJSONString, _ reader: inout JSONReader, _ names: KrakenWireNames
    ) throws(JSONSyntaxError) {
        switch key.bytes.count {
        case 3 where key.equals("qty"): self.size = try reader.looseNumber()
        case 3 where key.equals("bid"): self.bid = try reader.looseNumber()
        case 3 where key.equals("ask"): self.ask = try reader.looseNumber()
        case 3 where key.equals("low"): self.low = try reader.looseNumber()
        case 4 where key.equals("side"): self.side = try reader.takerSide()
        case 4 where key.equals("last"): self.last = try reader.looseNumber()
        case 4 where key.equals("open"): self.open = try reader.looseNumber()
        case 4 where key.equals("high"): self.high = try reader.looseNumber()
        case 5 where key.equals("price"): self.price = try reader.looseNumber()
        case 5 where key.equals("close"): self.close = try reader.looseNumber()
        case 6 where key.equals("symbol"):
            self.isNamed = try reader.kind() == .string
            self.market = try reader.wireName(names)
        case 6 where key.equals("volume"): self.volume = try reader.looseNumber()
        case 6 where key.equals("trades"): self.trades = try reader.count()
        case 6 where key.equals("system"): self.system = try reader.looseText()
        case 7 where key.equals("bid_qty"): self.bidSize = try reader.looseNumber()
        case 7 where key.equals("ask_qty"): self.askSize = try reader.looseNumber()
        case 8 where key.equals("trade_id"): self.tradeID = try reader.count()
        case 9 where key.equals("timestamp"): self.timestamp = try reader.looseTimestamp()
        // Beyond the range of Int64: https://docs.kraken.com/api/docs/websocket-v2/status.
        case 13 where key.equals("connection_id"): self.connectionID = try reader.count()
        case 14 where key.equals("interval_begin"): self.begin = try reader.looseTimestamp()
        default: try reader.skipValue()
        }
    }
}

extension JSONReader {
    /// The wire name that stands here, if it is of an instrument that is collected.
    fileprivate mutating func wireName(_ names: KrakenWireNames) throws(JSONSyntaxError) -> Int? {
        guard try self.kind() == .string else {
            try self.skipValue()
            return nil
        }
        return try self.readString().withUTF8 { names.find($0) }
    }

    fileprivate mutating func looseText() throws(JSONSyntaxError) -> String? {
        guard try self.kind() == .string else {
            try self.skipValue()
            return nil
        }
        return try self.readString().decoded()
    }

    fileprivate mutating func takerSide() throws(JSONSyntaxError) -> TradeSide? {
        guard try self.kind() == .string else {
            try self.skipValue()
            return nil
        }
        let side = try self.readString()
        return side.equals("buy") ? .buy : side.equals("sell") ? .sell : nil
    }

    /// `[{"price":..,"qty":..}, ...]` behind what the list holds.
    ///
    /// - Returns: whether all of it were levels: what is none, or has a size below zero, is left out.
    fileprivate mutating func readPricedLevels(into list: inout LevelList) throws(JSONSyntaxError) -> Bool {
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
            var (price, size): (ExactDecimal?, ExactDecimal?)
            try self.beginObject()
            var isFirstKey = true
            while let key = try self.nextKey(isFirst: &isFirstKey) {
                if key.equals("price") {
                    price = try self.looseNumber()
                } else if key.equals("qty") {
                    size = try self.looseNumber()
                } else {
                    try self.skipValue()
                }
            }
            guard let price, let size, size >= .zero, price > .zero else {
                areLevels = false
                continue
            }
            list.append(price: price, size: size)
        }
        return areLevels
    }
}
