extension StandardEvent {
    /// Why the event may not be passed on: more than `maximumByteCount` bytes as JSON, or nested too deep; `nil` when it
    /// may.
    ///
    /// What was decoded kept to the limits; this is for what our own code puts together. Nearly always it only compares a
    /// few numbers: the event is written, to be measured, where it could be too large at all.
    package func limitProblem(maximumByteCount: Int = 1 << 20) -> EventDecodingError? {
        let limit = JSONReader.maximumDepth
        // The envelope is a level of its own around the payload; the extra members stand in it.
        if self.payload.depth + 1 > limit {
            return EventDecodingError(.invalidJSON, field: "payload", message: "nested deeper than \(limit)")
        }
        if let details = self.details?.content, let extra = details.extra, extra.depth > limit {
            return EventDecodingError(.invalidJSON, message: "extra keys: nested deeper than \(limit)")
        }
        if let bound = self.byteCountBound, bound <= maximumByteCount { return nil }
        var writer = JSONWriter(capacity: 1 << 16)
        writer.write(self)
        guard writer.count > maximumByteCount else { return nil }
        return EventDecodingError(
            .tooLarge, message: "the event has \(writer.count) bytes, the limit is \(maximumByteCount)")
    }

    /// Never less than the event has; `nil` where that is not known without writing it.
    private var byteCountBound: Int? {
        guard !self.hasTexts, let payload = self.payload.byteCountBound else { return nil }
        // Three identifiers, a time, a type and a source, of which each byte may have become an escape of six.
        let envelope = 512 + 2 * 6 * 128
        guard let details = self.details?.content else { return envelope + payload }
        if details.causes != nil || details.processingTimeMs?.text != nil { return nil }
        return envelope + payload + 128 + (details.extra?.byteCount ?? 0)
    }
}

extension Payload {
    /// Never less than the payload has; `nil` where that is not known without writing it.
    fileprivate var byteCountBound: Int? {
        switch self.kind {
        // Interned names have up to 128 bytes, compact numbers up to 19 digits and 255 places.
        case .trade: self.reference == nil ? 4096 : nil
        case .object: self.heldObject.byteCount
        case .ticker: self.box(Ticker.self).value.byteCountBound
        case .orderBook: self.box(OrderBook.self).value.byteCountBound
        case .candle: nil
        }
    }
}

extension Ticker {
    fileprivate var byteCountBound: Int? {
        let texts = [self.price, self.volume, self.bid, self.ask, self.bidVolume, self.askVolume]
        let hasText =
            texts.contains { $0?.text != nil } || self.symbol.text != nil || self.context.venueSymbol?.text != nil
        return hasText ? nil : 4096
    }
}

extension OrderBook {
    fileprivate var byteCountBound: Int? {
        func hasText(_ level: Level?) -> Bool { level?.price.text != nil || level?.volume.text != nil }
        if hasText(self.bestBid) || hasText(self.bestAsk) || self.symbol.text != nil
            || self.context.venueSymbol?.text != nil || self.bids.contains(where: hasText)
            || self.asks.contains(where: hasText)
        {
            return nil
        }
        return 4096 + (self.bids.count + self.asks.count) * (2 * ByteCursor.longestDecimal + 4)
    }
}
