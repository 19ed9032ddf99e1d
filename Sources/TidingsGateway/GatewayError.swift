/// Why a gateway does not run.
public struct GatewayError: Error, Sendable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The configuration cannot be used; the message names the field.
        public static let configuration = Code(rawValue: "configuration")
        /// Somebody else listens on the port.
        public static let addressInUse = Code(rawValue: "address_in_use")
        /// The address cannot be listened on.
        public static let cannotListen = Code(rawValue: "cannot_listen")
    }

    public let code: Code
    public let message: String
    public let underlying: (any Error)?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    public var description: String { self.message }
}
