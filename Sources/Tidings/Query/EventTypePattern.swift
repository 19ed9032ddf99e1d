/// A pattern for event types: exact (`trade`), everything (`*`), everything below (`login.*` matches `login.success`
/// and `login.a.b`), or one part (`*.error`, `a.*.c`).
public struct EventTypePattern: Sendable, Hashable {
    private enum Form: Sendable, Hashable {
        case all
        case exact(EventType)
        /// The text before the trailing `.*`, with its dot.
        case below(String)
        /// Parts, `nil` for one that may be anything; whether anything may follow.
        case parts([String?], open: Bool)
    }

    public let text: String
    private let form: Form

    /// Every type.
    public static let all = EventTypePattern(text: "*", form: .all)

    /// One type.
    public static func exact(_ type: EventType) -> EventTypePattern {
        EventTypePattern(text: type.rawValue, form: .exact(type))
    }

    private init(text: String, form: Form) {
        self.text = text
        self.form = form
    }

    /// `nil` for a text that can match no type.
    public init?(_ text: String) {
        if text == "*" {
            self = .all
            return
        }
        if !text.contains("*") {
            guard let type = EventType(text) else { return nil }
            self = .exact(type)
            return
        }
        var parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let literals = parts.filter { $0 != "*" }
        guard parts.count > 1, literals.allSatisfy({ !$0.contains("*") && $0.utf8.allSatisfy(EventType.isAllowed) }),
            text.utf8.count <= 128
        else { return nil }
        let isOpen = parts.last == "*"
        if isOpen { parts.removeLast() }
        if isOpen && !parts.contains("*") {
            self.init(text: text, form: .below(parts.joined(separator: ".") + "."))
        } else {
            self.init(text: text, form: .parts(parts.map { $0 == "*" ? nil : $0 }, open: isOpen))
        }
    }

    /// The one type that can match, when there is only one.
    public var exactType: EventType? {
        guard case .exact(let type) = self.form else { return nil }
        return type
    }

    public func matches(_ type: EventType) -> Bool {
        switch self.form {
        case .all: return true
        case .exact(let exact): return exact == type
        case .below(let prefix):
            return type.withUTF8 { bytes in
                bytes.count > prefix.utf8.count && bytes.starts(with: prefix.utf8)
            }
        case .parts(let parts, let isOpen):
            let names = type.rawValue.split(separator: ".", omittingEmptySubsequences: false)
            guard isOpen ? names.count > parts.count : names.count == parts.count else { return false }
            return zip(parts, names).allSatisfy { part, name in part.map { $0 == name } ?? true }
        }
    }
}

extension EventTypePattern: CustomStringConvertible, ExpressibleByStringLiteral {
    public var description: String { self.text }

    /// For patterns in source code: one that can match nothing stops the program.
    public init(stringLiteral value: String) {
        guard let pattern = EventTypePattern(value) else {
            preconditionFailure("'\(value)' is not a pattern for event types")
        }
        self = pattern
    }
}
