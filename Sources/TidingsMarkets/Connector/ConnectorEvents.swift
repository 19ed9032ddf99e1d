import Tidings

/// The events that a connector tells of itself.
struct ConnectorEvents: Sendable {
    let source: Name

    func status(
        _ state: ConnectorState, symbol: Name? = nil, reason: String? = nil, attempt: Int? = nil,
        retryIn: Duration? = nil
    ) -> StandardEvent {
        var members: [(String, JSONValue)] = [
            ("connector", .string(self.source.description)), ("state", .string(state.rawValue)),
        ]
        if let symbol { members.append(("symbol", .string(symbol.description))) }
        if let reason { members.append(("reason", .string(reason))) }
        if let attempt { members.append(("attempt", .number(ExactDecimal(attempt)))) }
        if let retryIn {
            members.append(("retry_in_ms", .number(ExactDecimal(Int(retryIn / .milliseconds(1))))))
        }
        return StandardEvent(eventType: .connectorStatus, source: self.source, payload: .object(JSONObject(members)))
    }

    func error(_ code: String, _ message: String, _ details: JSONObject = JSONObject()) -> StandardEvent {
        .error(code: code, message: message, source: self.source, details: details)
    }
}
