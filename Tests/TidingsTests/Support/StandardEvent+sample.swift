@testable import Tidings

extension StandardEvent {
    static func sample(
        _ number: Int = 0, type: EventType = .custom, priority: EventPriority = .normal, source: Name = "test"
    ) -> StandardEvent {
        StandardEvent(
            eventType: type, source: source, payload: ["n": .number(ExactDecimal(number))], priority: priority)
    }

    var number: Int { self.payload["n"]?.int ?? -1 }
}
