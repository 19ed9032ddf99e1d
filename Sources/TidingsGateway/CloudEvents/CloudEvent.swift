import Tidings

/// A CloudEvent as it came, in any of the modes, before it is an event of ours.
struct CloudEvent {
    enum Value {
        case text(String)
        /// A number, `true` or `false`, as JSON.
        case literal([UInt8])
    }

    enum Content {
        case none
        /// The text of any JSON value.
        case json([UInt8], isObject: Bool)
        case text(String)
        case base64(String)
    }

    private(set) var attributes: [(name: String, value: Value)] = []
    var content = Content.none

    /// So many attributes are more than anybody has; beyond them looking one up would take too long.
    private static let mostAttributes = 256

    func text(_ name: String) -> String? {
        for (known, value) in self.attributes where known == name {
            if case .text(let text) = value { return text }
        }
        return nil
    }

    mutating func add(_ name: String, _ value: Value) throws(EventDecodingError) {
        guard CloudEventName.isAttribute(name) else {
            throw EventDecodingError(
                CloudEventProblem.invalidAttribute, field: String(name.prefix(128)),
                message: "the name of an attribute has only a-z and 0-9")
        }
        guard !self.attributes.contains(where: { $0.name == name }) else {
            throw EventDecodingError(CloudEventProblem.invalidAttribute, field: name, message: "stands there twice")
        }
        guard self.attributes.count < Self.mostAttributes else {
            throw EventDecodingError(
                CloudEventProblem.invalidAttribute, field: name,
                message: "an event may have \(Self.mostAttributes) attributes")
        }
        self.attributes.append((name, value))
    }
}

/// Codes of what can be wrong with a CloudEvent besides what can be wrong with any event.
enum CloudEventProblem {
    static let invalidAttribute = EventDecodingError.Code(rawValue: "invalid_attribute")

    static func invalid(_ attribute: String, _ message: String) -> EventDecodingError {
        EventDecodingError(
            EventDecodingError.Code(rawValue: "invalid_\(attribute)"), field: attribute, message: message)
    }

    static func missing(_ attribute: String) -> EventDecodingError {
        EventDecodingError(.missingField, field: attribute, message: "is required")
    }
}
