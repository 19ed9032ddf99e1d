import HTTPTypes
import Tidings

/// The parameters of a request's query: each may be repeated and may be a list with commas.
struct QueryParameters {
    private var values: [(name: String, value: String)] = []

    /// - Parameter allowed: any other name is a problem.
    init(_ query: String?, allowed: Set<String>) throws(Problem) {
        guard let query, !query.isEmpty else { return }
        var unknown: [String] = []
        for part in query.split(separator: "&") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(sides[0], plusIsSpace: true),
                let value = PercentEncoding.decode(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
            else {
                throw Problem(.badRequest, code: "invalid_query", "The query is not valid percent-encoded UTF-8")
            }
            if allowed.contains(name) { self.values.append((name, value)) } else { unknown.append(name) }
        }
        guard let first = unknown.first else { return }
        throw Self.unknown(first, all: unknown, allowed)
    }

    private static func unknown(_ first: String, all: [String], _ allowed: Set<String>) -> Problem {
        let known = allowed.isEmpty ? "there are none" : "known are \(allowed.sorted().joined(separator: ", "))"
        var problem = Problem(
            .badRequest, code: "unknown_parameter", field: String(first.prefix(64)),
            "Unknown query parameter '\(first.prefix(64))'; \(known)")
        if all.count > 1 {
            problem.errors = all.prefix(100).map { name in
                Problem.Part(
                    code: problem.code, field: String(name.prefix(64)),
                    message: "Unknown query parameter '\(name.prefix(64))'")
            }
        }
        return problem
    }

    /// All values of a parameter.
    func list(_ name: String) -> [String] {
        self.values.filter { $0.name == name }.flatMap { $0.value.split(separator: ",").map(String.init) }
    }

    /// The value of a parameter that stands once.
    func single(_ name: String) throws(Problem) -> String? {
        let found = self.values.filter { $0.name == name }
        guard found.count <= 1 else { throw .badValue(name, "'\(name)' may be given once only") }
        return found.first?.value
    }

    func flag(_ name: String) throws(Problem) -> Bool {
        switch try self.single(name) {
        case nil, "false": false
        case "true", "": true
        default: throw .badValue(name, "'\(name)' must be true or false")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = try self.single(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            let bounds =
                range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound)...\(range.upperBound)"
            throw .badValue(name, "'\(name)' must be \(bounds), was \(text.prefix(32))")
        }
        return number
    }

    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = try self.single(name) else { return nil }
        guard let time = TimeParameter.parse(text) else {
            throw .badValue(
                name, "'\(name)' must be an RFC 3339 time, a date or an age such as 15m, was \(text.prefix(64))")
        }
        return time
    }

    // MARK: Filters

    static let filterNames: Set<String> = ["type", "symbol", "source", "item"]

    /// The filter that `type`, `symbol`, `source` and `item` make.
    func filter() throws(Problem) -> EventFilter {
        var types: [EventTypePattern] = []
        for text in self.list("type") {
            guard let pattern = EventTypePattern(text) else {
                throw .badValue(
                    "type", "'type' must be an event type or a pattern such as login.*, was \(text.prefix(64))")
            }
            types.append(pattern)
        }
        return EventFilter(
            types: types, symbols: self.list("symbol"), sources: self.list("source").map { Name($0) },
            items: self.list("item"))
    }
}

/// RFC 3986 percent-encoding, as far as reading needs it.
enum PercentEncoding {
    /// nil for a broken escape or what is not UTF-8.
    static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var input = text.utf8.makeIterator()
        while let byte = input.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = input.next().flatMap(Self.digit), let low = input.next().flatMap(Self.digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
