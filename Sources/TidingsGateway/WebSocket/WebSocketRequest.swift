import Tidings

/// What a WebSocket client asks for in one text frame.
struct WebSocketRequest {
    enum Action {
        case subscribe(Subscribe)
        case unsubscribe(Unsubscribe)
        case publish(Result<StandardEvent, EventDecodingError>)
        case ping
    }

    struct Subscribe {
        var symbols: [String]
        var types: [EventTypePattern]
        /// As they were sent, for the answer.
        var typeTexts: [String]
        var sources: [String]
        var from: ResumePoint?
        var conflate: Bool?
        var maxRate: Double?
    }

    struct Unsubscribe {
        var symbols: [String]
        /// nil: all types.
        var types: [EventTypePattern]?
        /// As it was sent, for the answer.
        var typeText: String?
    }

    let action: Action
    /// The JSON of the request's `id`, to be echoed.
    let id: [UInt8]?
}

/// Why a request cannot be answered, in the words of the contract.
struct WebSocketRequestError: Error {
    let message: String
    let id: [UInt8]?
}

extension WebSocketRequest {
    /// The members of a request, as far as they are known; values of unknown ones are passed over.
    private struct Members {
        var id: [UInt8]?
        var action: JSONValue?
        var values: [String: JSONValue] = [:]
        var event: Range<Int>?
        var isCloudEvent = false

        static let known: Set<String> = [
            "symbols", "event_types", "event_type", "sources", "from", "conflate", "max_rate",
        ]
    }

    /// - Parameters:
    ///   - defaults: for events that are published.
    ///   - allowsCloudEvents: whether a frame may be a CloudEvent, which is published and needs no more words.
    init(
        _ bytes: UnsafeRawBufferPointer, defaults: EventDecodingDefaults, allowsCloudEvents: Bool = false
    ) throws(WebSocketRequestError) {
        let read: Members?
        do throws(JSONSyntaxError) {
            read = try Self.readMembers(bytes)
        } catch {
            throw WebSocketRequestError(message: "Invalid JSON: \(error.message)", id: nil)
        }
        guard let members = read else {
            throw WebSocketRequestError(message: "Invalid JSON: expected an object", id: nil)
        }
        self.id = members.id
        if allowsCloudEvents && members.isCloudEvent && members.action == nil {
            self.action = .publish(Self.cloudEvent(bytes, defaults))
            return
        }
        do throws(Refusal) {
            self.action = try Self.action(members, bytes, defaults)
        } catch {
            throw WebSocketRequestError(message: error.message, id: members.id)
        }
    }

    private static func cloudEvent(
        _ bytes: UnsafeRawBufferPointer, _ defaults: EventDecodingDefaults
    ) -> Result<StandardEvent, EventDecodingError> {
        var reader = JSONReader(bytes)
        do throws(JSONSyntaxError) {
            return try CloudEvent.event(&reader, defaults)
        } catch {
            return .failure(EventDecodingError(error))
        }
    }

    private struct Refusal: Error {
        let message: String
    }

    private static func readMembers(_ bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Members? {
        var reader = JSONReader(bytes)
        guard try reader.kind() == .object else {
            try reader.skipValue()
            try reader.expectEnd()
            return nil
        }
        var members = Members()
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("event") {
                members.event = try reader.skipValue()
            } else if key.equals("id") {
                members.id = Array(reader.slice(try reader.skipValue(depth: 1)))
            } else if key.equals("action") {
                members.action = try reader.readValue(depth: 1)
            } else {
                let name = key.decoded()
                if name == "specversion" { members.isCloudEvent = true }
                if Members.known.contains(name) {
                    members.values[name] = try reader.readValue(depth: 1)
                } else {
                    try reader.skipValue(depth: 1)
                }
            }
        }
        try reader.expectEnd()
        return members
    }

    private static func action(
        _ members: Members, _ bytes: UnsafeRawBufferPointer, _ defaults: EventDecodingDefaults
    ) throws(Refusal) -> Action {
        switch members.action?.string {
        case "subscribe": return .subscribe(try self.subscribe(members.values))
        case "unsubscribe": return .unsubscribe(try self.unsubscribe(members.values))
        case "ping": return .ping
        case "publish":
            guard let event = members.event else { throw Refusal(message: "Missing 'event' field") }
            let slice = UnsafeRawBufferPointer(rebasing: bytes[event])
            do throws(EventDecodingError) {
                return .publish(.success(try StandardEvent(json: slice, defaults: defaults)))
            } catch {
                return .publish(.failure(error))
            }
        case .some(let other): throw Refusal(message: "Unknown action: \(other)")
        case nil: throw Refusal(message: "Unknown action: \(members.action ?? .null)")
        }
    }

    private static func subscribe(_ values: [String: JSONValue]) throws(Refusal) -> Subscribe {
        let symbols = try self.strings("symbols", values)
        let types = try self.strings("event_types", values)
        if symbols == nil && types == nil || symbols?.isEmpty ?? false || types?.isEmpty ?? false {
            throw Refusal(message: "Missing 'symbols' field")
        }
        var from: ResumePoint?
        if let value = values["from"], value != .null {
            guard let point = ResumePoint(value) else {
                throw Refusal(
                    message: "'from' must be \"start\", {\"epoch\": text, \"offset\": number} or {\"time\": text}")
            }
            from = point
        }
        var maxRate: Double?
        if let value = values["max_rate"], value != .null {
            guard let rate = value.number.flatMap({ Double($0.description) }), rate > 0, rate.isFinite else {
                throw Refusal(message: "'max_rate' must be a number above 0")
            }
            maxRate = rate
        }
        var conflate: Bool?
        if let value = values["conflate"], value != .null {
            guard let flag = value.bool else { throw Refusal(message: "'conflate' must be true or false") }
            conflate = flag
        }
        return Subscribe(
            symbols: symbols ?? ["*"], types: try self.patterns(types ?? ["*"], "event_types"),
            typeTexts: types ?? ["*"], sources: try self.strings("sources", values) ?? [], from: from,
            conflate: conflate, maxRate: maxRate)
    }

    private static func unsubscribe(_ values: [String: JSONValue]) throws(Refusal) -> Unsubscribe {
        let symbols = try self.strings("symbols", values)
        let list = try self.strings("event_types", values)
        var type: String?
        if let value = values["event_type"], value != .null {
            guard let text = value.string else { throw Refusal(message: "'event_type' must be a string") }
            type = text
        }
        if symbols?.isEmpty ?? (type == nil && list == nil) { throw Refusal(message: "Missing 'symbols' field") }
        let types = type.map { [$0] } ?? list
        return Unsubscribe(
            symbols: symbols ?? ["*"],
            types: try types.map { types throws(Refusal) in
                try self.patterns(types, type == nil ? "event_types" : "event_type")
            }, typeText: type)
    }

    private static func strings(_ field: String, _ values: [String: JSONValue]) throws(Refusal) -> [String]? {
        guard let value = values[field], value != .null else { return nil }
        guard let array = value.array else { throw Refusal(message: "'\(field)' must be a list of strings") }
        var strings: [String] = []
        for element in array {
            guard let text = element.string else { throw Refusal(message: "'\(field)' must be a list of strings") }
            strings.append(text)
        }
        return strings
    }

    private static func patterns(_ texts: [String], _ field: String) throws(Refusal) -> [EventTypePattern] {
        var patterns: [EventTypePattern] = []
        for text in texts {
            guard let pattern = EventTypePattern(text) else {
                throw Refusal(message: "'\(field)' has \"\(text.prefix(64))\", which matches no event type")
            }
            patterns.append(pattern)
        }
        return patterns
    }
}
