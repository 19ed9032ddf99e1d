import Tidings

/// The Hyperliquid perpetuals exchange.
///
/// Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api.
public struct Hyperliquid: Venue {
    public let name = "hyperliquid"
    public let endpoint = "wss://api.hyperliquid.xyz/ws"
    public let rest = "https://api.hyperliquid.xyz"

    public init() {}

    /// Of one address: 2,000 messages a minute, requests that weigh 1,200 a minute ("Rate limits and user limits"). The
    /// server closes a connection to which it has sent nothing for 60 s; a ping every 30 s makes it send something.
    public var limits: VenueLimits {
        var limits = VenueLimits()
        limits.messagesPerSecond = 30
        limits.messageBurst = 100
        limits.requestWeight = 1200
        limits.requestInterval = .seconds(60)
        limits.silence = .seconds(60)
        return limits
    }

    public func instrument(named name: String) -> Instrument? { Self.resolve(name) }

    public func makeSession(_ plan: FeedPlan) -> any VenueSession {
        HyperliquidSession(plan)
    }

    /// A perpetual is named by its coin, and quoted in dollars: `BTC` is `BTC-USD`. Coins are in capitals, but for the
    /// `k` of those counted in thousands (`kPEPE`).
    static func resolve(_ name: String) -> Instrument? {
        var coin = name
        if let dash = name.lastIndex(of: "-") {
            guard name[name.index(after: dash)...].uppercased() == "USD" else { return nil }
            coin = String(name[..<dash])
        }
        let isWellFormed = coin.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard (1...16).contains(coin.utf8.count), isWellFormed else { return nil }
        let isThousands = coin.first == "k" && coin.dropFirst().allSatisfy(\.isUppercase) && coin.count > 1
        return Self.instrument(isThousands ? coin : coin.uppercased())
    }

    static func instrument(_ coin: String, sizeScale: Int? = nil) -> Instrument {
        Instrument(symbol: coin.uppercased() + "-USD", venueSymbol: coin, kind: .perpetual, sizeScale: sizeScale)
    }
}

/// The list of instruments.
extension Hyperliquid {
    public var instrumentsRequest: VenueRequest {
        VenueRequest(.instruments, .post, "/info", body: #"{"type":"meta"}"#, weight: HyperliquidInfo.weight)
    }

    /// `{"universe":[{"name":"BTC","szDecimals":5,"isDelisted":true}, ...]}`.
    public func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        var instruments: [Instrument]?
        do throws(JSONSyntaxError) {
            var reader = JSONReader(answer)
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("universe"), try reader.kind() == .array {
                    instruments = try reader.hyperliquidUniverse()
                } else {
                    try reader.skipValue()
                }
            }
            try reader.expectEnd()
        } catch {
            throw VenueError(.unreadable, "hyperliquid: unreadable list of instruments: \(error.message)")
        }
        guard let instruments else {
            throw VenueError(.unreadable, "hyperliquid: a list of instruments without a universe")
        }
        return instruments
    }
}

extension JSONReader {
    fileprivate mutating func hyperliquidUniverse() throws(JSONSyntaxError) -> [Instrument] {
        var instruments: [Instrument] = []
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            var coin: String?
            var sizeScale: UInt64?
            var isDelisted = false
            try self.beginObject()
            var isFirstKey = true
            while let key = try self.nextKey(isFirst: &isFirstKey) {
                if key.equals("name"), try self.kind() == .string {
                    coin = try self.readString().decoded()
                } else if key.equals("szDecimals") {
                    sizeScale = try self.count()
                } else if key.equals("isDelisted"), try self.kind() == .bool {
                    isDelisted = try self.readBool()
                } else {
                    try self.skipValue()
                }
            }
            guard let coin, !coin.isEmpty, !isDelisted else { continue }
            instruments.append(
                Hyperliquid.instrument(coin, sizeScale: sizeScale.flatMap { $0 <= 30 ? Int($0) : nil }))
        }
        return instruments
    }
}
