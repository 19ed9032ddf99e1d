/// Why a selector cannot be understood or followed.
public struct SelectorError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The selector is not written as it should be.
        public static let syntax = Code(rawValue: "syntax")
        /// It is well written but asks for something there is not here, such as a pseudo-element.
        public static let unsupported = Code(rawValue: "unsupported")
        /// Following it on this page takes more work than is allowed.
        public static let tooMuchWork = Code(rawValue: "too_much_work")
        /// An XPath that cannot be evaluated, or gives something else than elements where those are asked for.
        public static let evaluation = Code(rawValue: "evaluation")
    }

    public let code: Code
    public let message: String
    /// The selector.
    public let selector: String
    /// Where in it, in characters from 1; nil where it is not about one place.
    public let column: Int?

    init(_ code: Code, _ message: String, in selector: String, at offset: Int? = nil) {
        self.code = code
        self.message = message
        self.selector = selector
        self.column = offset.map { offset in
            String(decoding: selector.utf8.prefix(offset), as: UTF8.self).count + 1
        }
    }

    public var description: String {
        "selector \(self.selector)" + (self.column.map { ", column \($0)" } ?? "") + ": \(self.message)"
    }
}
