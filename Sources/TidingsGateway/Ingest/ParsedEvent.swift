import Tidings

/// What stands at one place of a body: an event, or why it is none.
struct ParsedEvent: Sendable {
    /// The index in an array, or the number of a line.
    let place: Int
    let event: Result<StandardEvent, EventDecodingError>
}

extension [ParsedEvent] {
    /// The events among them, in order.
    var events: [StandardEvent] { self.compactMap { try? $0.event.get() } }
}
