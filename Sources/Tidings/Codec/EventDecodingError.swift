/// Why something is not an event, in words for whoever sent it.
public struct EventDecodingError: Error, Sendable, Equatable {
    /// A stable word for programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The bytes are not JSON.
        public static let invalidJSON = Code(rawValue: "invalid_json")
        /// A required field is absent.
        public static let missingField = Code(rawValue: "missing_field")
        /// The event is larger than allowed.
        public static let tooLarge = Code(rawValue: "too_large")
        /// The event, or the payload, is JSON but not an object.
        public static let notAnObject = Code(rawValue: "not_an_object")

        /// `invalid_` and the name of the field.
        static func invalid(_ field: String) -> Code {
            Code(rawValue: "invalid_" + field)
        }
    }

    public let code: Code
    /// The field the problem is in, as it is spelt in the JSON; `nil` when it is the JSON itself.
    public let field: String?
    public let message: String

    public init(_ code: Code, field: String? = nil, message: String) {
        self.code = code
        self.field = field
        self.message = message
    }

    package init(_ error: JSONSyntaxError) {
        self.init(.invalidJSON, message: error.message)
    }
}

extension EventDecodingError: CustomStringConvertible {
    public var description: String {
        self.field.map { "\($0): \(self.message)" } ?? self.message
    }
}
