internal import Tidings

extension BinanceVenue {
    /// `/ws/<stream>`, `/ws/<stream>/<stream>` and `/stream?streams=<stream>/<stream>`, below any path.
    func open(_ client: inout SimulatedClient) {
        let target = RequestTarget(client.path)
        client.isCombined = target.parts.last == "stream"
        var names: [String] = []
        if client.isCombined, let streams = target["streams"] {
            names = streams.split(separator: "/").map { String($0) }
        } else if let start = target.parts.firstIndex(of: "ws") {
            names = Array(target.parts[(start + 1)...])
        }
        for name in names.prefix(1024) { self.subscribe(to: name, &client) }
    }

    @discardableResult
    private func subscribe(to name: String, _ client: inout SimulatedClient) -> Topic {
        let topic = self.topic(ofStream: name)
        client.subscriptions.insert(topic)
        client.names[topic] = name
        return topic
    }

    func answer(
        _ message: UnsafeRawBufferPointer, client: inout SimulatedClient, knows: (String) -> Bool
    ) -> [VenueReply] {
        guard let value = jsonValue(message) else {
            return [self.error(3, "Invalid JSON: expected value at line 1 column 1", id: nil)]
        }
        guard let request = value.object else {
            return [self.error(2, "Invalid request: request must be an object", id: nil)]
        }
        let id = request["id"]
        switch id {
        case nil, .null, .number, .string: break
        default: return [self.error(2, "Invalid request: request ID must be an unsigned integer", id: nil)]
        }
        guard let method = request["method"]?.string else {
            return [self.error(2, "Invalid request: method must be string", id: id)]
        }
        switch method {
        case "SUBSCRIBE", "UNSUBSCRIBE":
            let names = (request["params"]?.array ?? []).map(\.string)
            guard !names.isEmpty, !names.contains(nil) else {
                return [self.error(2, "Invalid request: params must be a non-empty array of strings", id: id)]
            }
            return self.change(names.compactMap { $0 }, isAdding: method == "SUBSCRIBE", id, &client)
        case "LIST_SUBSCRIPTIONS":
            let names = client.names.values.sorted().map { quoted($0) }.joined(separator: ",")
            return [self.result("[\(names)]", id)]
        case "SET_PROPERTY", "GET_PROPERTY":
            let params = request["params"]?.array ?? []
            guard params.first?.string == "combined" else { return [self.error(0, "Unknown property", id: id)] }
            if method == "GET_PROPERTY" { return [self.result("\(client.isCombined)", id)] }
            guard params.count == 2, let isOn = params[1].bool else {
                return [self.error(1, "Invalid value type: expected Boolean", id: id)]
            }
            client.isCombined = isOn
            return [self.result("null", id)]
        default:
            return [
                self.error(
                    2,
                    "Invalid request: unknown variant `\(method.prefix(64))`, expected one of `SUBSCRIBE`, "
                        + "`UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`", id: id)
            ]
        }
    }

    private func change(
        _ names: [String], isAdding: Bool, _ id: JSONValue?, _ client: inout SimulatedClient
    ) -> [VenueReply] {
        guard isAdding else {
            for name in names { client.unsubscribe(self.topic(ofStream: name)) }
            return [self.result("null", id)]
        }
        // "A single connection can listen to a maximum of 1024 streams."
        guard client.subscriptions.count + names.count <= 1024, !names.contains(where: { $0.utf8.count > 64 }) else {
            return [self.error(2, "Invalid request: too many streams", id: id)]
        }
        let old = client.subscriptions
        let topics = names.map { self.subscribe(to: $0, &client) }
        return [self.result("null", id)] + topics.filter { !old.contains($0) }.map { .begin($0) }
    }

    private func result(_ json: String, _ id: JSONValue?) -> VenueReply {
        .frame(Array(#"{"result":\#(json),"id":\#((id ?? .null).description)}"#.utf8))
    }

    private func error(_ code: Int, _ message: String, id: JSONValue?) -> VenueReply {
        let id = id.map { #","id":\#($0.description)"# } ?? ""
        return .frame(Array(#"{"error":{"code":\#(code),"msg":\#(quoted(message))}\#(id)}"#.utf8))
    }
}
