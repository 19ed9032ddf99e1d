import Tidings

/// What the venue says to subscriptions.
extension HyperliquidSession {
    mutating func readConfirmation(
        _ reader: inout JSONReader, on connection: Int, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var fields = HyperliquidFields()
        var isSubscribe = false
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("method"), try reader.kind() == .string {
                isSubscribe = try reader.readString().equals("subscribe")
            } else if key.equals("subscription"), try reader.kind() == .object {
                try fields.read(&reader)
            } else {
                try reader.skipValue()
            }
        }
        guard isSubscribe, let index = self.index(of: fields.coin),
            let channel = self.channels.first(where: { fields.type.map { "\($0)" } == $0.type })
        else { return }
        self.confirm(HyperliquidSubscription(coin: index, channel: channel), on: connection, into: &output)
    }

    private mutating func confirm(
        _ subscription: HyperliquidSubscription, on connection: Int, into output: inout VenueOutput
    ) {
        guard let link = self.linkIndex(connection),
            self.links[link].unconfirmed.removeValue(forKey: subscription) != nil
        else { return }
        let index = subscription.coin
        let isRest = self.links[link].unconfirmed.keys.contains {
            $0.coin == index && $0.channel.market == subscription.channel.market
        }
        if !isRest, let stream = self.plan.stream(subscription.channel.market, of: index) {
            output.notices.append(.confirmed(stream: stream))
        }
        if subscription.channel == .trades { self.askForRecentTrades(index, into: &output) }
        self.checkReady(connection, into: &output)
    }

    /// `{"channel":"error","data":"Invalid subscription {\"type\":..}"}`: what it is about stands in its text.
    mutating func takeError(_ text: String, on connection: Int, into output: inout VenueOutput) {
        guard let link = self.linkIndex(connection) else {
            output.problems.append(
                VenueOutput.Problem(code: "SUBSCRIPTION", message: "hyperliquid: \(text.prefix(200))"))
            return
        }
        let meant = self.links[link].unconfirmed.keys.first {
            text.contains("\"\($0.channel.type)\"")
                && text.contains("\"\(self.coins[$0.coin].instrument.venueSymbol)\"")
        }
        if let meant, text.lowercased().contains("already subscribed") {
            return self.confirm(meant, on: connection, into: &output)
        }
        // What is not subscribed to need not be unsubscribed from.
        if text.lowercased().contains("already unsubscribed") { return }
        var details = JSONObject()
        if let meant { details = ["symbol": .string(self.coins[meant.coin].symbol.description)] }
        let isRate = text.lowercased().contains("rate limit") || text.lowercased().contains("too many")
        output.problems.append(
            VenueOutput.Problem(
                code: isRate ? "RATE_LIMIT" : "SUBSCRIPTION", message: "hyperliquid: \(text.prefix(200))",
                details: details))
        guard let meant, !isRate else { return }
        self.links[link].unconfirmed[meant] = nil
        self.links[link].refused.insert(meant)
        self.checkReady(connection, into: &output)
    }
}
