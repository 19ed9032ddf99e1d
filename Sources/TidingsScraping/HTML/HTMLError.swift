/// Why a page could not be read.
public struct HTMLError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The page has more bytes than ``HTMLLimits/bytes``.
        public static let tooLarge = Code(rawValue: "too_large")
        /// Its tree wants more memory than ``HTMLLimits/memory``.
        public static let memory = Code(rawValue: "memory")
        /// Reading it takes more processor time than ``HTMLLimits/milliseconds``, as nesting without end does.
        public static let time = Code(rawValue: "time")
        /// The parser gave up on it.
        public static let parser = Code(rawValue: "parser")
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
