internal import Tidings

extension CoinbaseVenue {
    func answer(
        _ message: UnsafeRawBufferPointer, client: inout SimulatedClient, knows: (String) -> Bool
    ) -> [VenueReply] {
        guard let request = jsonObject(message) else { return [self.error("Malformed JSON", nil)] }
        let type = request["type"]?.string
        guard type == "subscribe" || type == "unsubscribe" else {
            return [self.error("Malformed request", "Type has to be either subscribe or unsubscribe")]
        }
        let failure = type == "subscribe" ? "Failed to subscribe" : "Failed to unsubscribe"
        let products = (request["product_ids"]?.array ?? []).map(\.string)
        guard let channels = request["channels"]?.array, !channels.isEmpty else {
            return [self.error(failure, "No channels provided")]
        }
        var wanted: [(topic: Topic, name: String)] = []
        for value in channels {
            guard let name = value.string ?? value.object?["name"]?.string else {
                return [self.error(failure, "A channel is a name or an object with a name")]
            }
            guard let channel = Self.channel(name) else {
                return [self.error(failure, "\(name.prefix(64)) is not a valid channel")]
            }
            let own = value.object?["product_ids"]?.array.map { $0.map(\.string) } ?? products
            guard !own.isEmpty else { return [self.error(failure, "No products provided")] }
            for product in own {
                guard let product, knows(product) else {
                    return [self.error(failure, "\((product ?? "?").prefix(64)) is not a valid product")]
                }
                wanted.append((Topic(channel, product), name))
            }
        }
        guard type == "unsubscribe" || client.hasRoom(for: wanted.count) else {
            return [self.error(failure, "too many subscriptions")]
        }
        for (topic, name) in wanted {
            if type == "unsubscribe" {
                client.unsubscribe(topic)
            } else {
                client.subscriptions.insert(topic)
                client.names[topic] = name
            }
        }
        // Who subscribes again is told the beginning again.
        let begun = type == "subscribe" ? wanted.map { VenueReply.begin($0.topic) } : []
        return [self.subscriptions(client)] + begun
    }

    /// All that this connection is subscribed to.
    private func subscriptions(_ client: SimulatedClient) -> VenueReply {
        var products: [String: [String]] = [:]
        for topic in client.subscriptions {
            products[client.names[topic] ?? topic.channel, default: []].append(topic.symbol)
        }
        let channels = products.sorted { $0.key < $1.key }.map { name, products in
            let list = products.sorted().map { quoted($0) }.joined(separator: ",")
            return #"{"name":\#(quoted(name)),"product_ids":[\#(list)]}"#
        }
        let made = Array(#"{"type":"subscriptions","channels":[\#(channels.joined(separator: ","))]}"#.utf8)
        let isNamedAsUsual = client.names.allSatisfy { $0.key.channel == $0.value }
        return isNamedAsUsual ? .acknowledgements(client.subscriptions, made: made) : .frame(made)
    }

    private func error(_ message: String, _ reason: String?) -> VenueReply {
        let reason = reason.map { #","reason":\#(quoted($0))"# } ?? ""
        return .frame(Array(#"{"type":"error","message":\#(quoted(message))\#(reason)}"#.utf8))
    }

    var hasHeartbeats: Bool { true }

    /// Once a second for each product whose heartbeat is subscribed to, also when nothing else comes.
    func heartbeats(
        for client: inout SimulatedClient, isIdle: Bool, isPlaying: Bool, from snapshot: any VenueSnapshot
    ) -> [[UInt8]] {
        let topics = client.subscriptions.filter { $0.channel == "heartbeat" }.sorted { $0.symbol < $1.symbol }
        return topics.compactMap { topic in
            if isPlaying, client.isRecorded, snapshot.topics.contains(topic) { return nil }
            let trade = snapshot.trades(of: topic.symbol).last
            let sequence = self.sequence(of: topic.symbol, snapshot)
            let time = timeText(nanoseconds: snapshot.time.multiplied(by: 1_000_000))
            return Array(
                (#"{"type":"heartbeat","sequence":\#(sequence),"last_trade_id":\#(trade?.id ?? 0),"#
                    + #""product_id":\#(quoted(topic.symbol)),"time":"\#(time)"}"#).utf8)
        }
    }

    /// The newest number known of a product.
    func sequence(of product: String, _ snapshot: any VenueSnapshot) -> UInt64 {
        if let snapshot = snapshot as? GeneratedSnapshot, let index = snapshot.market.index(of: product) {
            return CoinbaseProducts.sequence(of: snapshot.market.instruments[index])
        }
        let frames = ["ticker", "matches"].flatMap { snapshot.recent(Topic($0, product), limit: 1) }
        return frames.compactMap { frame in
            frame.withUnsafeBytes { jsonObject($0) }?["sequence"]?.int.flatMap { UInt64(exactly: $0) }
        }.max() ?? 0
    }
}
