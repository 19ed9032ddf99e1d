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

    /// What a bus tells of a handler that threw.
    static func handlerFailure(subscriber: String, handling event: StandardEvent, _ error: any Error) -> StandardEvent {
        .error(
            code: "HANDLER", message: "\(subscriber): \(error)", source: "tidings",
            details: [
                "subscriber": .string(subscriber), "event_id": .string(event.eventID.description),
                "event_type": .string(event.eventType.rawValue),
            ])
    }
}
