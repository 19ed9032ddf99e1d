/// Why a connector cannot do what it was asked to.
public struct ConnectorError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        public static let unknownVenue = Code(rawValue: "unknown_venue")
        public static let unknownSymbol = Code(rawValue: "unknown_symbol")
        public static let unknownChannel = Code(rawValue: "unknown_channel")
        public static let invalidEndpoint = Code(rawValue: "invalid_endpoint")
        public static let invalidProxy = Code(rawValue: "invalid_proxy")
        /// A setting that makes no sense.
        public static let invalidConfiguration = Code(rawValue: "invalid_configuration")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
