internal import Tidings

extension HyperliquidVenue {
    /// The candles there are.
    static let intervals = CandleInterval.allCases.filter { $0 != .oneSecond && $0 != .sixHours }

    func answer(
        _ message: UnsafeRawBufferPointer, client: inout SimulatedClient, knows: (String) -> Bool
    ) -> [VenueReply] {
        self.answer(message, subscriptions: &client.subscriptions, knows: knows)
    }

    func answer(
        _ message: UnsafeRawBufferPointer, subscriptions: inout Set<Topic>, knows: (String) -> Bool
    ) -> [VenueReply] {
        let request: JSONObject
        do throws(EventDecodingError) {
            request = try JSONObject(json: message)
        } catch {
            return [self.error("Error parsing JSON into valid websocket request: \(error.message)")]
        }
        switch request["method"]?.string {
        case "ping": return [.frame(Array(#"{"channel":"pong"}"#.utf8))]
        case "subscribe", "unsubscribe": break
        default: return [self.error("Error parsing JSON into valid websocket request: \(request)")]
        }
        guard let subscription = request["subscription"]?.object else {
            return [self.error("Error parsing JSON into valid websocket request: \(request)")]
        }
        guard let topic = self.topic(of: subscription), topic.symbol.isEmpty || knows(topic.symbol) else {
            return [self.error("Invalid subscription \(subscription)")]
        }
        if request["method"]?.string == "unsubscribe" {
            guard subscriptions.remove(topic) != nil else {
                return [self.error("Already unsubscribed: \(subscription)")]
            }
            return [.frame(self.response(to: "unsubscribe", subscription))]
        }
        guard subscriptions.count < SimulatedClient.maximumSubscriptions else {
            return [self.error("Too many subscriptions")]
        }
        guard subscriptions.insert(topic).inserted else {
            return [self.error("Already subscribed: \(subscription)")]
        }
        return [.acknowledgement(topic, made: self.response(to: "subscribe", subscription))]
    }

    /// What a subscription is for; `nil` for one that Hyperliquid does not have.
    func topic(of subscription: JSONObject) -> Topic? {
        guard let type = subscription["type"]?.string else { return nil }
        if type == "allMids" { return Topic(type) }
        guard let coin = subscription["coin"]?.string, !coin.isEmpty, coin.utf8.count <= 64 else { return nil }
        switch type {
        case "trades", "bbo", "activeAssetCtx": return Topic(type, coin)
        case "l2Book": return self.hasValidPrecision(subscription) ? Topic(type, coin) : nil
        case "candle":
            guard let interval = subscription["interval"]?.string, self.interval(interval) != nil else { return nil }
            return Topic(type, coin, interval)
        default: return nil
        }
    }

    /// One of this venue's intervals.
    func interval(_ text: String) -> CandleInterval? {
        CandleInterval(rawValue: text).flatMap { Self.intervals.contains($0) ? $0 : nil }
    }

    /// `nSigFigs` from 2 to 5; `mantissa` 1, 2 or 5, with 5 figures only. The books sent are whole all the same.
    private func hasValidPrecision(_ subscription: JSONObject) -> Bool {
        let figures = subscription["nSigFigs"] ?? .null
        let mantissa = subscription["mantissa"] ?? .null
        if figures != .null, !(2...5).contains(figures.int ?? 0) { return false }
        return mantissa == .null || (figures.int == 5 && [1, 2, 5].contains(mantissa.int ?? 0))
    }

    private func response(to method: StaticString, _ subscription: JSONObject) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        writer.literal(#"{"channel":"subscriptionResponse","data":{"method":""#)
        writer.literal(method)
        writer.literal(#"","subscription":"#)
        subscription.withUTF8 { writer.write(bytes: $0) }
        writer.literal("}}")
        return writer.array()
    }

    private func error(_ message: String) -> VenueReply {
        var writer = JSONWriter(capacity: 256)
        writer.literal(#"{"channel":"error","data":"#)
        // A client's message is given back only as far as it helps.
        writer.write(string: String(message.prefix(1000)))
        writer.literal("}")
        return .frame(writer.array())
    }
}
