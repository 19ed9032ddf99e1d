extension StandardEvent {
    /// An `error` event, priority 1, as the contract has it.
    public static func error(
        code: String, message: String, source: Name, details: JSONObject = JSONObject(), timestamp: Timestamp? = nil
    ) -> StandardEvent {
        StandardEvent(
            eventType: .error, source: source,
            payload: ["error_code": .string(code), "message": .string(message), "details": .object(details)],
            priority: .critical, timestamp: timestamp)
    }

    /// What a bus tells of a handler that failed.
    static func handlerFailure(
        code: String, subscriber: String, handling event: StandardEvent, _ problem: String
    ) -> StandardEvent {
        .error(
            code: code, message: "\(subscriber): \(problem)", source: "tidings",
            details: [
                "subscriber": .string(subscriber), "event_id": .string(event.eventID.description),
                "event_type": .string(event.eventType.rawValue),
            ])
    }
}
