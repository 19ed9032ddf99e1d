extension StandardEvent {
    /// How much of a subscription's capacity the event takes: one, and one more for each 4 KiB that it holds on to, so that
    /// capacities bound memory as well.
    var weight: Int {
        1 + (self.payload.retainedByteCount + (self.details?.content.extra?.byteCount ?? 0)) / 4096
    }
}

extension Payload {
    /// Whether it surely holds on to little memory, and to nothing that anybody else wrote.
    @inline(__always)
    var isLight: Bool {
        switch self.kind {
        case .trade, .ticker, .candle: true
        case .orderBook, .object: false
        }
    }

    /// About how many bytes the payload holds on to.
    var retainedByteCount: Int {
        switch self.kind {
        case .trade, .ticker, .candle: 0
        case .orderBook:
            self.orderBook.map { ($0.bids.count + $0.asks.count) * MemoryLayout<OrderBook.Level>.stride } ?? 0
        case .object: self.object.byteCount
        }
    }
}

extension JSONObject {
    /// The length of the compact text.
    var byteCount: Int { self.storage.header.count }
}
