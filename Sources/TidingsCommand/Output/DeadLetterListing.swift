import Tidings

/// Dead letters as a table for people, one a line.
struct DeadLetterListing {
    /// Lines are cut to this many characters; `nil` for no limit.
    let width: Int?
    /// How wide each column is so far: a later page may widen it, not narrow it.
    private var widths: [Int] = []

    private static let titles = ["ID", "AGE", "TYPE", "SUBSCRIBER", "ATTEMPTS", "LAST ERROR"]

    init(width: Int?) {
        self.width = width
    }

    /// The lines of some letters, the titles before the first.
    mutating func lines(_ letters: [DeadLetter], now: Timestamp) -> [String] {
        guard !letters.isEmpty else { return [] }
        var rows = letters.map { letter in
            [
                letter.id.description, age(of: letter.lastFailedAt, now: now), letter.event.eventType.rawValue,
                letter.subscriber, "\(letter.attempts)", letter.lastError,
            ].map { EventLine.printable($0) }
        }
        if self.widths.isEmpty {
            rows.insert(Self.titles, at: 0)
            self.widths = Self.titles.map { _ in 0 }
        }
        for row in rows {
            for (column, text) in row.enumerated() { self.widths[column] = max(self.widths[column], text.count) }
        }
        return rows.map { row in
            var line = ""
            for (column, text) in row.dropLast().enumerated() { line += text.padded(to: self.widths[column] + 2) }
            line += row.last ?? ""
            guard let width = self.width, line.count > width else { return line }
            return line.prefix(max(width - 1, 1)) + "…"
        }
    }
}

/// How long ago something was, in one unit: `12s`, `5m`, `3h`, `9d`.
func age(of moment: Timestamp, now: Timestamp) -> String {
    let seconds = max(now.duration(since: moment).components.seconds, 0)
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return "\(seconds / 60)m"
    case ..<86_400: return "\(seconds / 3600)h"
    default: return "\(seconds / 86_400)d"
    }
}
