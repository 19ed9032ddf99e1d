/// Why a page could not be had or used.
public struct PageError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The address cannot be read, or is of another kind than http and https.
        public static let address = Code(rawValue: "address")
        /// The address is one of a private network, and those are not allowed.
        public static let privateAddress = Code(rawValue: "private_address")
        /// No connection, or one that broke.
        public static let connection = Code(rawValue: "connection")
        /// No whole answer in time.
        public static let timeout = Code(rawValue: "timeout")
        public static let tooManyRedirects = Code(rawValue: "too_many_redirects")
        public static let bodyTooLarge = Code(rawValue: "body_too_large")
        /// The answer cannot be read as HTML.
        public static let content = Code(rawValue: "content")
        /// Nothing has been loaded yet.
        public static let noPage = Code(rawValue: "no_page")
        /// The selector finds nothing.
        public static let notFound = Code(rawValue: "not_found")
        /// This kind of page cannot do that with that element.
        public static let notPossible = Code(rawValue: "not_possible")
        /// The selector cannot be followed.
        public static let selector = Code(rawValue: "selector")
        public static let closed = Code(rawValue: "closed")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
