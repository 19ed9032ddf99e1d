extension EventBusError.Code {
    /// There is no dead letter of that id.
    public static let notFound = EventBusError.Code(rawValue: "not_found")
    /// The subscription that gave the event up does not exist any more.
    public static let noSuchHandler = EventBusError.Code(rawValue: "no_such_handler")
}
