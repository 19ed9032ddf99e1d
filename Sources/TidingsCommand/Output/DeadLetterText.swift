import Tidings

/// Everything about one dead letter, for people.
struct DeadLetterText {
    let text: String

    init(_ letter: DeadLetter, now: Timestamp) {
        let event = letter.event
        var rows: [(name: String, value: String)] = [
            ("id", letter.id.description),
            ("subscriber", letter.subscriber),
            ("attempts", "\(letter.attempts)"),
            ("first failed", Self.moment(letter.firstFailedAt, now)),
            ("first error", letter.firstError),
            ("last failed", Self.moment(letter.lastFailedAt, now)),
            ("last error", letter.lastError),
            ("offset", letter.offset.map(String.init) ?? "not in the log"),
            ("event", event.eventID.description),
            ("type", event.eventType.rawValue),
            ("source", event.source.description),
            ("time", Self.moment(event.timestamp, now)),
            ("priority", "\(event.priority.rawValue)"),
            ("correlation", event.correlationID.description),
        ]
        if let parent = event.parentEventID { rows.append(("parent", parent.description)) }
        if let processedAt = event.processedAt { rows.append(("processed", Self.moment(processedAt, now))) }
        if let time = event.processingTimeMs { rows.append(("processing", "\(time) ms")) }
        rows.append(("payload", JSONValue.object(event.payload.object).indented()))
        if let extra = event.extra { rows.append(("extra", JSONValue.object(extra).indented())) }

        let width = rows.map(\.name.count).max() ?? 0
        self.text = rows.map { name, value in
            let lines = value.split(separator: "\n", omittingEmptySubsequences: false)
                .map { EventLine.printable(String($0)) }
            return name.padded(to: width + 2)
                + lines.joined(separator: "\n" + String(repeating: " ", count: width + 2))
        }.joined(separator: "\n")
    }

    private static func moment(_ moment: Timestamp, _ now: Timestamp) -> String {
        "\(moment) (\(age(of: moment, now: now)) ago)"
    }
}

extension JSONValue {
    /// The value over several lines; what holds nothing but plain values is kept on one where it is short.
    func indented(by depth: Int = 0) -> String {
        let inner = String(repeating: "  ", count: depth + 1)
        let outer = String(repeating: "  ", count: depth)
        let compact = self.description
        switch self {
        case .array(let values) where !values.isEmpty && compact.count > 72:
            let lines = values.map { inner + $0.indented(by: depth + 1) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let object) where !object.isEmpty && (depth == 0 || compact.count > 72):
            let lines = object.members.map { key, value in
                "\(inner)\(JSONValue.string(key)): \(value.indented(by: depth + 1))"
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        default: return compact
        }
    }
}
