internal import Tidings

extension CoinbaseAdvancedVenue {
    func answer(
        _ message: UnsafeRawBufferPointer, client: inout SimulatedClient, knows: (String) -> Bool
    ) -> [VenueReply] {
        guard let request = jsonObject(message) else { return [self.error("failed to parse message")] }
        let type = request["type"]?.string
        guard type == "subscribe" || type == "unsubscribe" else {
            return [self.error("type has to be subscribe or unsubscribe")]
        }
        guard let channel = request["channel"]?.string, Self.channels.contains(channel) else {
            return [self.error("channel is not supported")]
        }
        var topics: [Topic] = []
        if channel == "heartbeats" || channel == "status" {
            topics = [Topic(channel)]
        } else {
            let products = (request["product_ids"]?.array ?? []).map { $0.string ?? "" }
            guard !products.isEmpty else { return [self.error("product_ids are required")] }
            for product in products {
                guard let known = Self.spellings(of: product).first(where: knows) else {
                    return [self.error("\(product.prefix(64)) is not a valid product")]
                }
                topics.append(Topic(channel, known))
            }
        }
        guard type == "unsubscribe" || client.hasRoom(for: topics.count) else {
            return [self.error("too many subscriptions")]
        }
        for topic in topics {
            if type == "unsubscribe" { client.unsubscribe(topic) } else { client.subscriptions.insert(topic) }
        }
        let begun = type == "subscribe" ? topics.map { VenueReply.begin($0) } : []
        return [self.subscriptions(client)] + begun
    }

    /// Who asks for a product in USDC gets the one in USD.
    private static func spellings(of product: String) -> [String] {
        product.hasSuffix("-USDC") ? [product, String(product.dropLast())] : [product]
    }

    private func subscriptions(_ client: SimulatedClient) -> VenueReply {
        var products: [String: [String]] = [:]
        for topic in client.subscriptions { products[topic.channel, default: []].append(topic.symbol) }
        let channels = products.sorted { $0.key < $1.key }.map { name, products in
            let names = products.map { $0.isEmpty ? name : $0 }.sorted()
            return #"\#(quoted(name)):[\#(names.map { quoted($0) }.joined(separator: ","))]"#
        }
        return .frame(
            Array(
                self.frame("subscriptions", #"{"subscriptions":{\#(channels.joined(separator: ","))}}"#).utf8))
    }

    private func error(_ message: String) -> VenueReply {
        .frame(Array(#"{"type":"error","message":\#(quoted(message))}"#.utf8))
    }

    /// A frame around an event. The number is put in when it is sent.
    func frame(_ channel: String, _ event: String, time: Int64? = nil) -> String {
        let nanoseconds = time ?? Timestamp.now().nanoseconds
        return
            #"{"channel":"\#(channel)","client_id":"","timestamp":"\#(timeText(nanoseconds: nanoseconds, .nanoseconds))","#
            + #""sequence_num":0,"events":[\#(event)]}"#
    }

    var hasHeartbeats: Bool { true }

    func heartbeats(
        for client: inout SimulatedClient, isIdle: Bool, isPlaying: Bool, from snapshot: any VenueSnapshot
    ) -> [[UInt8]] {
        let topic = Topic("heartbeats")
        guard client.subscriptions.contains(topic) else { return [] }
        if isPlaying, client.isRecorded, snapshot.topics.contains(topic) { return [] }
        client.heartbeats &+= 1
        let time = snapshot.time.multiplied(by: 1_000_000)
        let event = #"{"current_time":"\#(timeText(nanoseconds: time))","heartbeat_counter":"\#(client.heartbeats)"}"#
        return [Array(self.frame("heartbeats", event, time: time).utf8)]
    }
}
