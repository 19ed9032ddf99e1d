import Tidings

/// Draws the tree of an event for people: one line an event, its place in the tree drawn with box characters.
struct TreePrinter {
    var isColoured = false
    /// Lines are cut to this many characters; `nil` for no limit.
    var width: Int?

    private static let bold = "\u{1B}[1m"
    private static let dim = "\u{1B}[2m"
    private static let red = "\u{1B}[31m"
    private static let plain = "\u{1B}[0m"

    /// Types and sources are aligned as far as this.
    private static let widestBranch = 40
    private static let widestSource = 16

    /// The parts of a line.
    private struct Row {
        let isAsked: Bool
        let isError: Bool
        let offset: String
        let elapsed: String
        let branch: String
        let type: String
        let source: String
        let summary: String
        let duration: String
    }

    /// The lines, without line breaks; the last ones tell of the whole.
    func lines(_ tree: EventTree) -> [String] {
        let branches = Self.branches(tree.nodes.map(\.depth))
        let rows = zip(tree.nodes, branches).map { Self.row($0, branch: $1, of: tree) }
        let offsetWidth = rows.map(\.offset.count).max() ?? 0
        let elapsedWidth = rows.map(\.elapsed.count).max() ?? 0
        let branchWidth = min(rows.map { $0.branch.count + $0.type.count }.max() ?? 0, Self.widestBranch)
        let sourceWidth = min(rows.map(\.source.count).max() ?? 0, Self.widestSource)
        let lines = rows.map { row in
            self.line(
                row, offsetWidth: offsetWidth, elapsedWidth: elapsedWidth, branchWidth: branchWidth,
                sourceWidth: sourceWidth)
        }
        return lines + self.ending(tree)
    }

    private static func row(_ node: EventTree.Node, branch: String, of tree: EventTree) -> Row {
        let event = Self.withoutRepetition(node.event)
        let duration = node.event.payload["duration_ms"]?.number
        let summary = [event.subject, event.summary].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "  ")
        let type = event.eventType.rawValue
        return Row(
            isAsked: event.eventID == tree.eventID,
            isError: event.eventType == .error || type.hasSuffix(".error") || type.hasSuffix(".failed"),
            offset: "\(node.offset)", elapsed: Self.elapsed(node.elapsedMs), branch: branch,
            // What others wrote may hold anything: nothing of it may steer the terminal.
            type: EventLine.printable(type), source: EventLine.printable(event.source.description),
            summary: EventLine.printable(summary), duration: duration.map { "(\(Self.time($0.doubleValue)))" } ?? "")
    }

    /// The event without what the line says in a place of its own: the duration, and members that repeat the source.
    private static func withoutRepetition(_ event: StandardEvent) -> StandardEvent {
        let source = JSONValue.string(event.source.description)
        let members = event.payload.object.members
        let rest = members.filter { $0.key != "duration_ms" && $0.value != source }
        guard rest.count < members.count else { return event }
        var event = event
        event.payload = .object(JSONObject(rest.map { ($0.key, $0.value) }))
        return event
    }

    private func line(
        _ row: Row, offsetWidth: Int, elapsedWidth: Int, branchWidth: Int, sourceWidth: Int
    ) -> String {
        let place = "\(Self.right(row.offset, offsetWidth))  \(Self.right(row.elapsed, elapsedWidth))  \(row.branch)"
        let type = row.type.padded(to: max(branchWidth - row.branch.count, 0))
        var rest = row.source.padded(to: sourceWidth)
        if !row.summary.isEmpty { rest += "  " + row.summary }
        if let width = self.width {
            let taken = 2 + place.count + type.count + 2 + (row.duration.isEmpty ? 0 : row.duration.count + 2)
            let room = max(width - taken, 20)
            if rest.count > room { rest = rest.prefix(room - 1) + "…" }
        }
        if !row.duration.isEmpty { rest += "  " + row.duration }
        while rest.last == " " { rest.removeLast() }
        let mark = row.isAsked ? "→ " : "  "
        guard self.isColoured else { return "\(mark)\(place)\(type)  \(rest)" }
        let colour = (row.isAsked ? Self.bold : "") + (row.isError ? Self.red : "")
        return "\(colour)\(mark)\(Self.plain)\(Self.dim)\(place)\(Self.plain)\(colour)\(type)  \(rest)\(Self.plain)"
    }

    private func ending(_ tree: EventTree) -> [String] {
        var lines: [String] = []
        if let root = tree.nodes.first {
            let count = tree.nodes.count
            let last = tree.nodes.map(\.elapsedMs.doubleValue).max() ?? 0
            lines.append(
                "\(count) \(count == 1 ? "event" : "events") within \(Self.time(last)) of \(root.event.timestamp)")
        }
        if tree.isIncomplete {
            lines.append("incomplete: a cause is missing or circular, or there is more than is shown")
        }
        return lines.map { self.isColoured ? "\(Self.dim)\($0)\(Self.plain)" : $0 }
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }

    // MARK: Branches

    /// What is drawn before each event of a tree that comes depth first.
    static func branches(_ depths: [Int]) -> [String] {
        // From the end: at which depths an event of the same parent follows.
        var follows: [Bool] = []
        var branches: [String] = []
        for depth in depths.reversed() {
            while follows.count <= depth { follows.append(false) }
            var branch = ""
            if depth > 0 {
                for level in 1..<depth { branch += follows[level] ? "│  " : "   " }
                branch += follows[depth] ? "├─ " : "└─ "
            }
            branches.append(branch)
            follows[depth] = true
            follows.removeLast(follows.count - depth - 1)
        }
        return branches.reversed()
    }

    // MARK: Times

    /// Time since the root, with its sign.
    static func elapsed(_ milliseconds: ExactDecimal) -> String {
        let value = milliseconds.doubleValue
        return value < 0 ? "-\(Self.time(-value))" : "+\(Self.time(value))"
    }

    /// A duration in milliseconds with the digits that a person wants.
    static func time(_ milliseconds: Double) -> String {
        guard milliseconds.isFinite, milliseconds < 1e15 else { return "\(milliseconds) ms" }
        let seconds = milliseconds / 1000
        switch milliseconds {
        case ..<0: return "-" + Self.time(-milliseconds)
        case ..<1: return "\(Self.rounded(milliseconds, digits: 3)) ms"
        case ..<10: return "\(Self.rounded(milliseconds, digits: 2)) ms"
        case ..<999.95: return "\(Self.rounded(milliseconds, digits: 1)) ms"
        case ..<59_995: return "\(Self.rounded(seconds, digits: 2)) s"
        case ..<3_599_500: return Self.pair(Int64(seconds.rounded()), 60, "min", "s")
        case ..<86_370_000: return Self.pair(Int64((seconds / 60).rounded()), 60, "h", "min")
        default: return Self.pair(Int64((seconds / 3600).rounded()), 24, "d", "h")
        }
    }

    private static func pair(_ count: Int64, _ size: Int64, _ unit: String, _ part: String) -> String {
        count % size == 0 ? "\(count / size) \(unit)" : "\(count / size) \(unit) \(count % size) \(part)"
    }

    /// At most so many digits after the point, without zeros at the end.
    private static func rounded(_ value: Double, digits: UInt8) -> String {
        var (mantissa, scale) = (Int64((value * [1, 10, 100, 1000][Int(digits)]).rounded()), digits)
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10
            scale -= 1
        }
        return "\(ExactDecimal(mantissa: mantissa, scale: scale))"
    }
}
