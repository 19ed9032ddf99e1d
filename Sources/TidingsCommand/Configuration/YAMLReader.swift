import Tidings
import Yams

/// Reads a YAML file field by field and collects every problem with its place.
struct YAMLReader {
    let file: String
    private(set) var problems: [ConfigurationProblem] = []

    init(file: String) {
        self.file = file
    }

    /// The file's top-level mapping; `nil` when it is empty or was reported as unreadable.
    mutating func parse(_ text: String) -> Node.Mapping? {
        guard let root = self.compose(text) else { return nil }
        guard let mapping = root.mapping else {
            self.report(root, "", "must be a mapping of settings")
            return nil
        }
        return mapping
    }

    /// What the file has; `nil` when it is empty or was reported as unreadable.
    mutating func compose(_ text: String) -> Node? {
        do {
            guard let root = try Yams.compose(yaml: text), root.null == nil else { return nil }
            return root
        } catch let error as YamlError {
            let (line, column, message) = Self.explain(error)
            self.problems.append(
                ConfigurationProblem(file: self.file, line: line, column: column, field: "", message: message))
        } catch {
            self.problems.append(
                ConfigurationProblem(file: self.file, line: 1, column: 1, field: "", message: "\(error)"))
        }
        return nil
    }

    private static func explain(_ error: YamlError) -> (line: Int, column: Int, message: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return (mark.line, mark.column, "is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            return (
                context.mark.line, context.mark.column, "\(keys.map { "\($0)" }.joined(separator: ", ")) stands twice"
            )
        default:
            return (1, 1, "is not YAML: \(error)")
        }
    }

    mutating func report(_ node: Node, _ field: String, _ message: String) {
        let mark = node.mark
        self.problems.append(
            ConfigurationProblem(
                file: self.file, line: mark?.line ?? 1, column: mark?.column ?? 1, field: field, message: message))
    }

    /// Reports every key that is not among those allowed.
    mutating func expect(_ mapping: Node.Mapping, in path: String, only allowed: [String]) {
        for (key, _) in mapping {
            guard let name = key.string else {
                self.report(key, path, "a setting's name must be text")
                continue
            }
            if allowed.contains(name) { continue }
            let near = allowed.min { $0.editDistance(to: name) < $1.editDistance(to: name) }
            let hint = near.flatMap { $0.editDistance(to: name) <= 2 ? "; did you mean '\($0)'?" : nil } ?? ""
            self.report(key, Self.join(path, name), "unknown setting\(hint)")
        }
    }

    static func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    // MARK: Values

    mutating func text(_ node: Node?, _ field: String) -> String? {
        guard let node else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else {
            self.report(node, field, "must be text")
            return nil
        }
        return text
    }

    /// A list of texts; one text alone is a list of it.
    mutating func texts(_ node: Node?, _ field: String) -> [String]? {
        guard let node else { return nil }
        if node.scalar != nil { return self.text(node, field).map { [$0] } }
        guard let sequence = node.sequence else {
            self.report(node, field, "must be a list")
            return nil
        }
        var texts: [String] = []
        for (index, element) in sequence.enumerated() {
            if let text = self.text(element, "\(field)[\(index)]") { texts.append(text) }
        }
        return texts
    }

    mutating func mapping(_ node: Node?, _ field: String) -> Node.Mapping? {
        guard let node else { return nil }
        guard let mapping = node.mapping else {
            self.report(node, field, "must be a mapping of settings")
            return nil
        }
        return mapping
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: Node?, _ field: String, of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        guard let node, let text = self.text(node, field) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        self.report(node, field, "must be one of \(allowed), was '\(text)'")
        return nil
    }

    /// A duration such as `500ms`, `30s`, `5m`, `2h`, `7d`.
    mutating func duration(_ node: Node?, _ field: String) -> Duration? {
        guard let node, let text = self.text(node, field) else { return nil }
        if let duration = Duration(expression: text) { return duration }
        self.report(node, field, "must be a duration such as 500ms, 30s, 5m, 2h or 7d, was '\(text)'")
        return nil
    }

    /// A number of bytes such as `1MiB`, `50GB` or `4096`.
    mutating func byteCount(_ node: Node?, _ field: String) -> Int? {
        guard let node, let text = self.text(node, field) else { return nil }
        if let count = parseByteCount(text) { return count }
        self.report(node, field, "must be a size such as 512KiB, 1MiB, 50GB or 4096, was '\(text)'")
        return nil
    }

    mutating func count(_ node: Node?, _ field: String, in range: ClosedRange<Int>) -> Int? {
        guard let node, let text = self.text(node, field) else { return nil }
        if let count = Int(text), range.contains(count) { return count }
        self.report(node, field, "must be \(range.lowerBound)...\(range.upperBound), was '\(text)'")
        return nil
    }
}

func parseByteCount(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int(digits) else { return nil }
    let units = [
        "": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
    ]
    guard let unit = units[text[digits.endIndex...].trimmingPrefix(while: \.isWhitespace).description] else {
        return nil
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : bytes
}

extension Duration {
    /// `500ms`, `30s`, `5m`, `2h`, `7d`.
    init?(expression: String) {
        let digits = expression.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count < 1 << 40 else { return nil }
        switch expression[digits.endIndex...] {
        case "ms": self = .milliseconds(count)
        case "s": self = .seconds(count)
        case "m": self = .seconds(count * 60)
        case "h": self = .seconds(count * 3600)
        case "d": self = .seconds(count * 86_400)
        default: return nil
        }
    }
}

extension String {
    /// How many letters have to be put in, taken out or changed to get from one text to the other (Levenshtein).
    func editDistance(to other: String) -> Int {
        let (from, to) = (Array(self), Array(other))
        var row = Array(0...to.count)
        for (i, letter) in from.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in to.enumerated() {
                let above = row[j + 1]
                row[j + 1] = Swift.min(above + 1, row[j] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[to.count]
    }
}
