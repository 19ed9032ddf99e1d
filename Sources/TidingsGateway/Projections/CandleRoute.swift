import HTTPTypes
import HummingbirdCore
import Tidings

/// `GET /api/v1/candles`: the candles of a symbol, of a venue or of our own.
struct CandleRoute: Sendable {
    let candles: CandleProjection
    let log: any EventLog

    private static let longestName = 128

    private struct Request {
        let symbol: String
        let interval: Name
        let source: CandleSource?
        let since: Timestamp?
        let until: Timestamp?
        let limit: Int

        init(_ query: QueryParameters) throws(Problem) {
            guard let symbol = try query.single("symbol"), !symbol.isEmpty else {
                throw .badValue("symbol", "'symbol' is required, such as BTC-USD")
            }
            guard let interval = try query.single("interval"), (1...16).contains(interval.unicodeScalars.count) else {
                throw .badValue("interval", "'interval' is required, such as 1m")
            }
            guard symbol.unicodeScalars.count <= CandleRoute.longestName else {
                throw .badValue("symbol", "'symbol' must have at most \(CandleRoute.longestName) characters")
            }
            self.symbol = symbol
            self.interval = Name(interval)
            self.source = try query.single("source").flatMap { $0.isEmpty ? nil : CandleSource($0) }
            self.since = try query.time("since")
            self.until = try query.time("until")
            self.limit = Int(try query.integer("limit", in: 1...10_000) ?? 500)
        }

        func contains(_ candle: Candle) -> Bool {
            if let since = self.since, candle.timestamp < since { return false }
            if let until = self.until, candle.timestamp >= until { return false }
            return true
        }
    }

    func list(_ call: HTTPCall) async throws -> Response {
        let request = try Request(try call.query(["symbol", "interval", "source", "since", "until", "limit"]))
        let rights = call.principal.rights
        guard rights.includes(type: .ohlcv) else { throw Problem.forbiddenType(.ohlcv) }
        let live = self.candles.find(Name(request.symbol).folded, interval: request.interval, source: request.source)
            .filter { rights.includes(symbol: $0.key.symbol, $0.key.venueSymbol) }
        var sets = live.mapValues { candles in
            CandleSet(candles.map { ($0.timestamp.nanoseconds, $0) }, uniquingKeysWith: { $1 })
        }
        // Without a source it has to be known who else has these candles.
        let whole = request.source == nil ? nil : self.wholeTail(live, request)
        if whole?.isEnough != true {
            var history = CandleHistory(
                log: self.log, symbol: request.symbol, interval: request.interval, source: request.source,
                limit: request.limit)
            let until = [request.until, whole?.start].compactMap(\.self).min()
            try await history.read(since: request.since, until: until, now: .now())
            for (key, set) in history.found where rights.includes(symbol: key.symbol, key.venueSymbol) {
                sets[key, default: [:]].merge(set) { live, _ in live }
            }
        }
        return try Self.answer(request, sets)
    }

    /// From where on the candles that are remembered are all there are, and whether that is as many as are wanted: with
    /// none missing in between, there is nothing newer in the log.
    private func wholeTail(
        _ live: [CandleKey: [Candle]], _ request: Request
    ) -> (start: Timestamp, isEnough: Bool)? {
        guard live.count == 1, let candles = live.values.first, let last = candles.last,
            let length = CandleInterval(request.interval.description)?.duration
        else { return nil }
        var start = last.timestamp
        var count = request.contains(last) ? 1 : 0
        for candle in candles.dropLast().reversed() {
            guard candle.timestamp.advanced(by: length) == start else { break }
            start = candle.timestamp
            if request.contains(candle) { count += 1 }
        }
        let reachesSince = request.since.map { start <= $0 } ?? false
        return (start, count >= request.limit || reachesSince)
    }

    private static func answer(_ request: Request, _ sets: [CandleKey: CandleSet]) throws -> Response {
        // What is called so by us comes before what a venue calls so.
        let name = Name(request.symbol).folded
        let isOurs = sets.keys.contains { $0.symbol.folded == name }
        let sets = sets.filter { !isOurs || $0.key.symbol.folded == name }
        let series = Dictionary(grouping: sets, by: { $0.key.sourceText })
        guard series.count <= 1 else {
            let names = series.keys.sorted().joined(separator: ", ")
            throw Problem.badValue("source", "'source' is required: \(names) have these candles")
        }
        let key = sets.keys.min { $0.symbol.description < $1.symbol.description }
        // A venue may have had the symbol under several spellings of its own.
        var candles: CandleSet = [:]
        for (other, set) in sets where other.symbol == key?.symbol { candles.merge(set) { $1 } }
        let sorted = candles.values.filter { request.contains($0) }.sorted { $0.timestamp < $1.timestamp }
        return .json { writer in
            writer.literal("{\"symbol\":")
            writer.write(string: key?.symbol.description ?? request.symbol)
            writer.literal(",\"interval\":")
            writer.write(request.interval)
            writer.literal(",\"source\":")
            if let text = request.source?.text ?? key?.source.description {
                writer.write(string: text)
            } else {
                writer.literal("null")
            }
            if let origin = key?.origin {
                writer.literal(",\"of\":")
                writer.write(origin)
            }
            writer.literal(",\"candles\":[")
            for (index, candle) in sorted.suffix(request.limit).enumerated() {
                if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
                writer.write(row: candle)
            }
            writer.literal("]}")
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(row candle: Candle) {
        self.literal("{\"timestamp\":")
        self.write(candle.timestamp)
        self.literal(",\"open\":")
        self.write(candle.open)
        self.literal(",\"high\":")
        self.write(candle.high)
        self.literal(",\"low\":")
        self.write(candle.low)
        self.literal(",\"close\":")
        self.write(candle.close)
        self.literal(",\"volume\":")
        self.write(candle.volume)
        if let trades = candle.trades {
            self.literal(",\"trades\":")
            self.write(trades)
        }
        if let isClosed = candle.isClosed {
            self.literal(",\"closed\":")
            self.write(isClosed)
        }
        self.write(byte: UInt8(ascii: "}"))
    }
}
