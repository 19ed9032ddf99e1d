import Tidings

/// `tidings bench codec`: events to JSON and back.
enum CodecBench {
    static let all: [any BenchSubject] = [
        RateBench(
            name: "encode-trade", unit: "events/s", reference: "Foundation JSONEncoder",
            work: { amount in Self.encode(BenchEvents.trade, amount) },
            referenceWork: { amount in try FoundationCodec.encode(FoundationCodec.trade, amount) }),
        RateBench(
            name: "decode-trade", unit: "events/s", reference: "Foundation JSONDecoder",
            work: { amount in try Self.decode(BenchEvents.foreignTrade, amount) { $0.trade != nil } },
            referenceWork: { amount in
                try FoundationCodec.decode(
                    FoundationCodec.Event<FoundationCodec.Trade>.self, BenchEvents.foreignTrade, amount)
            }),
        RateBench(
            name: "encode-order-book", unit: "events/s", reference: "Foundation JSONEncoder",
            work: { amount in Self.encode(BenchEvents.orderBook, amount) },
            referenceWork: { amount in
                let book = try FoundationCodec.read(
                    FoundationCodec.Event<FoundationCodec.Book>.self, BenchEvents.orderBook.json)
                return try FoundationCodec.encode(book, amount)
            }),
        RateBench(
            name: "decode-order-book", unit: "events/s", reference: "Foundation JSONDecoder",
            work: { amount in try Self.decode(BenchEvents.orderBook.json, amount) { $0.orderBook != nil } },
            referenceWork: { amount in
                try FoundationCodec.decode(
                    FoundationCodec.Event<FoundationCodec.Book>.self, BenchEvents.orderBook.json, amount)
            }),
        RateBench(
            name: "decode-open-object", unit: "events/s", reference: "Foundation JSONDecoder",
            work: { amount in try Self.decode(BenchEvents.openObject, amount) { $0["item"] != nil } },
            referenceWork: { amount in
                try FoundationCodec.decode(
                    FoundationCodec.Event<FoundationCodec.Field>.self, BenchEvents.openObject, amount)
            }),
    ]

    private static func encode(_ event: StandardEvent, _ amount: Int) -> Int {
        var writer = JSONWriter(capacity: 1 << 16)
        var bytes = 0
        for _ in 0..<amount {
            writer.write(event)
            if writer.count > 1 << 15 {
                bytes += writer.count
                writer.reset()
            }
        }
        precondition(bytes + writer.count > amount, "nothing was encoded")
        return amount
    }

    private static func decode(_ json: String, _ amount: Int, check: (Payload) -> Bool) throws -> Int {
        let defaults = EventDecodingDefaults(source: "bench")
        var good = 0
        try json.withRawUTF8 { bytes throws(EventDecodingError) in
            for _ in 0..<amount {
                let event = try StandardEvent(json: bytes, defaults: defaults)
                if check(event.payload) { good += 1 }
            }
        }
        precondition(good == amount, "an event was decoded wrongly")
        return amount
    }
}
