internal import Tidings

extension KrakenVenue {
    var hasHeartbeats: Bool { true }

    /// "Heartbeat messages are sent approximately once every second in the absence of any other channel updates."
    func heartbeats(
        for client: inout SimulatedClient, isIdle: Bool, isPlaying: Bool, from snapshot: any VenueSnapshot
    ) -> [[UInt8]] {
        isIdle ? [Array(#"{"channel":"heartbeat"}"#.utf8)] : []
    }

    var greeting: [[UInt8]] {
        [
            Array(
                (#"{"channel":"status","type":"update","data":[{"system":"online","api_version":"v2","#
                    + #""connection_id":17843232920108168701,"version":"2.0.0"}]}"#).utf8)
        ]
    }

    func answer(
        _ message: UnsafeRawBufferPointer, client: inout SimulatedClient, knows: (String) -> Bool
    ) -> [VenueReply] {
        let time = timeText(nanoseconds: Timestamp.now().nanoseconds)
        guard let request = jsonObject(message), let method = request["method"]?.string else {
            let end = #""success":false,"time_in":"\#(time)","time_out":"\#(time)"}"#
            return [.frame(Array((#"{"error":"Malformed request","# + end).utf8))]
        }
        var end = #","time_in":"\#(time)","time_out":"\#(time)"#
        end += #"""#
        if let id = request["req_id"] {
            guard let number = id.int, number >= 0 else {
                return [.frame(self.failure(method, "Malformed request", end + "}"))]
            }
            end += #","req_id":\#(number)"#
        }
        end += "}"
        switch method {
        case "ping": return [.frame(Array((#"{"method":"pong""# + end).utf8))]
        case "subscribe", "unsubscribe": break
        default: return [.frame(self.failure(method, "Unsupported method \(method.prefix(64))", end))]
        }
        guard let parameters = request["params"]?.object, let channel = parameters["channel"]?.string else {
            return [.frame(self.failure(method, "Channel field is required", end))]
        }
        switch channel {
        case "book", "trade", "ticker", "ohlc": break
        case "instrument":
            return [self.change(Topic(channel), method, parameters, nil, end, &client)].flatMap { $0 }
        default: return [.frame(self.failure(method, "Unsupported channel \(channel.prefix(64))", end))]
        }
        guard let symbols = parameters["symbol"]?.array, !symbols.isEmpty else {
            return [.frame(self.failure(method, "Symbol(s) are required", end))]
        }
        return symbols.prefix(1000).flatMap { value -> [VenueReply] in
            let asked = value.string ?? ""
            guard asked.utf8.count <= 64, let symbol = Self.spellings(of: asked).first(where: knows) else {
                let problem = "Currency pair not supported \(asked.prefix(64))"
                return [.frame(self.failure(method, problem, symbol: asked, end))]
            }
            if channel == "ohlc", Self.interval(minutes: parameters["interval"]?.int ?? 1) == nil {
                return [.frame(self.failure(method, "Subscription ohlc interval not supported", symbol: symbol, end))]
            }
            if channel == "book", !Self.depths.contains(parameters["depth"]?.int ?? 10) {
                return [.frame(self.failure(method, "Subscription depth not supported", symbol: symbol, end))]
            }
            let topic = self.topic(channel, symbol, interval: parameters["interval"]?.int)
            return self.change(topic, method, parameters, symbol, end, &client)
        }
    }

    /// The symbol as it is asked for, and with the other name of BTC or DOGE.
    private static func spellings(of symbol: String) -> [String] {
        [
            symbol, symbol.replacing("BTC", with: "XBT").replacing("DOGE", with: "XDG"),
            symbol.replacing("XBT", with: "BTC").replacing("XDG", with: "DOGE"),
        ]
    }

    private func change(
        _ topic: Topic, _ method: String, _ parameters: JSONObject, _ symbol: String?, _ end: String,
        _ client: inout SimulatedClient
    ) -> [VenueReply] {
        let name = symbol.map { #","symbol":\#(quoted($0))"# } ?? ""
        var result = #""channel":"\#(topic.channel)"\#(name)"#
        if method == "unsubscribe" {
            if topic.channel == "book" { result += #","depth":\#(client.depths[topic] ?? 10)"# }
            if topic.channel == "ohlc" { result += #","interval":\#(topic.detail)"# }
            guard client.unsubscribe(topic) else {
                return [.frame(self.failure(method, "Subscription Not Found", symbol: symbol, end))]
            }
            return [.frame(Array(#"{"method":"unsubscribe","result":{\#(result)},"success":true\#(end)"#.utf8))]
        }
        guard !client.subscriptions.contains(topic) else {
            return [
                .frame(self.failure(method, "Already subscribed to one \(topic.channel) topic", symbol: symbol, end))
            ]
        }
        guard client.hasRoom(for: 1) else {
            return [.frame(self.failure(method, "Exceeded subscription limit", symbol: symbol, end))]
        }
        client.subscriptions.insert(topic)
        let hasSnapshot = parameters["snapshot"]?.bool ?? true
        client.names[topic] = hasSnapshot ? "" : "live"
        result += #","snapshot":\#(hasSnapshot)"#
        if topic.channel == "book" {
            let depth = parameters["depth"]?.int ?? 10
            client.depths[topic] = depth
            result += #","depth":\#(depth)"#
        }
        if topic.channel == "ohlc" { result += #","interval":\#(topic.detail)"# }
        if topic.channel == "ticker" {
            result += #","event_trigger":\#(quoted(parameters["event_trigger"]?.string ?? "trades"))"#
        }
        let made = #"{"method":"subscribe","result":{\#(result)},"success":true\#(end)"#
        return [.acknowledgement(topic, made: Array(made.utf8))]
    }

    private func failure(_ method: String, _ message: String, symbol: String? = nil, _ end: String) -> [UInt8] {
        let symbol = symbol.map { #","symbol":\#(quoted(String($0.prefix(64))))"# } ?? ""
        return Array(
            (#"{"error":\#(quoted(message)),"method":\#(quoted(String(method.prefix(64)))),"success":false"# + symbol
                + end).utf8)
    }
}
