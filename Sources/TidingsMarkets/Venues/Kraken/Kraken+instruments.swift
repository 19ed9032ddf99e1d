import Tidings

extension Kraken {
    public var instrumentsRequest: VenueRequest {
        VenueRequest(.instruments, .get, "/0/public/AssetPairs")
    }

    /// Markets whose `status` is `online`, named by their `wsname`; those without one are not on the feed.
    public func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        var instruments: [Instrument] = []
        try KrakenREST.read(answer) { (reader, _) throws(JSONSyntaxError) in
            guard try reader.kind() == .object else {
                try reader.skipValue()
                return
            }
            var (name, status): (String?, String?)
            var (priceScale, sizeScale): (UInt64?, UInt64?)
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("wsname") {
                    name = try reader.token()
                } else if key.equals("status") {
                    status = try reader.token()
                } else if key.equals("pair_decimals") {
                    priceScale = try reader.count()
                } else if key.equals("lot_decimals") {
                    sizeScale = try reader.count()
                } else {
                    try reader.skipValue()
                }
            }
            guard status ?? "online" == "online", let name, name.contains("/"),
                let (base, quote) = KrakenSpelling.pair(name)
            else { return }
            instruments.append(
                Self.instrument(
                    base, quote, priceScale: priceScale.flatMap { $0 <= 30 ? Int($0) : nil },
                    sizeScale: sizeScale.flatMap { $0 <= 30 ? Int($0) : nil }))
        }
        return instruments.sorted { $0.symbol < $1.symbol }
    }
}
