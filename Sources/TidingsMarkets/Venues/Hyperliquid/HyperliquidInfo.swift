import Tidings

/// The venue's `POST /info`. A request weighs 20 but for `l2Book` and a few more, which weigh 2.
///
/// Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint.
enum HyperliquidInfo {
    static let weight = 20

    static func recentTrades(_ purpose: VenueRequest.Purpose, _ instrument: Instrument) -> VenueRequest {
        let coin = JSONValue.string(instrument.venueSymbol)
        return VenueRequest(
            purpose, .post, "/info", body: #"{"type":"recentTrades","coin":\#(coin)}"#, weight: Self.weight)
    }

    /// - Parameter starts: of the candles, in milliseconds.
    static func candles(
        _ purpose: VenueRequest.Purpose, _ instrument: Instrument, interval: String, _ starts: ClosedRange<Int64>
    ) -> VenueRequest {
        let (coin, interval) = (JSONValue.string(instrument.venueSymbol), JSONValue.string(interval))
        let range = #""startTime":\#(starts.lowerBound),"endTime":\#(starts.upperBound)"#
        return VenueRequest(
            purpose, .post, "/info",
            body: #"{"type":"candleSnapshot","req":{"coin":\#(coin),"interval":\#(interval),\#(range)}}"#,
            weight: Self.weight)
    }

    /// A list of objects: trades or candles.
    static func readList(_ bytes: UnsafeRawBufferPointer) throws(VenueError) -> [HyperliquidFields] {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            let list = try reader.hyperliquidList()
            try reader.expectEnd()
            return list
        } catch {
            let beginning = String(decoding: bytes.prefix(100), as: UTF8.self)
            throw VenueError(.unreadable, "hyperliquid: unreadable answer: \(error.message): \(beginning)")
        }
    }

    static func readList(_ answer: VenueAnswer) throws(VenueError) -> [HyperliquidFields] {
        switch answer {
        case .failure(let status, let reason):
            throw VenueError(.refused, "\(status.map { "HTTP \($0): " } ?? "")\(reason)")
        case .body(let bytes):
            // `withUnsafeBytes` has no typed errors.
            let outcome: Result<[HyperliquidFields], VenueError> = bytes.withUnsafeBytes { buffer in
                do throws(VenueError) { return .success(try Self.readList(buffer)) } catch { return .failure(error) }
            }
            return try outcome.get()
        }
    }

    /// Oldest first.
    static func readTrades(_ answer: VenueAnswer) throws(VenueError) -> [HyperliquidTrade] {
        Self.trades(try Self.readList(answer))
    }

    static func trades(_ list: [HyperliquidFields]) -> [HyperliquidTrade] {
        // The order of those of one time is kept: a sort by time alone need not be stable.
        list.compactMap { HyperliquidTrade($0) }.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}
