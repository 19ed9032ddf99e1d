import Tidings

/// Keeps problems that come by the thousand from filling the log: of those of one kind, which is a code and a symbol, the
/// first is told at once, then one a second with the number that was left out. A machine.
struct ReportLimiter: Sendable {
    private struct Kind: Hashable {
        let code: String
        let symbol: String
    }

    private struct Entry {
        var toldAt: Int64
        var leftOut = 0
        /// The newest that was left out.
        var last: VenueOutput.Problem?
    }

    static let interval: Int64 = 1_000_000_000
    /// So many kinds are told apart; those beyond share one for each code, of which there are as many.
    static let capacity = 4096
    /// A kind that has been quiet for this long is forgotten.
    private static let memory: Int64 = 60_000_000_000

    private var entries: [Kind: Entry] = [:]
    private var nextSweep: Int64?

    /// A problem has come: what is to be told now, if anything.
    mutating func add(_ problem: VenueOutput.Problem, at now: Int64) -> VenueOutput.Problem? {
        var kind = Kind(code: problem.code, symbol: problem.details["symbol"]?.string ?? "")
        if self.entries[kind] == nil, self.entries.count >= Self.capacity {
            kind = Kind(code: self.entries.count >= 2 * Self.capacity ? "" : problem.code, symbol: "*")
        }
        guard var entry = self.entries[kind] else {
            self.entries[kind] = Entry(toldAt: now)
            return problem
        }
        if now - entry.toldAt < Self.interval {
            entry.leftOut += 1
            entry.last = problem
            self.entries[kind] = entry
            return nil
        }
        self.entries[kind] = Entry(toldAt: now)
        return Self.tell(problem, leftOut: entry.leftOut)
    }

    /// Time has passed: what was left out and followed by nothing is told as well.
    mutating func tick(at now: Int64) -> [VenueOutput.Problem] {
        if let nextSweep = self.nextSweep, now < nextSweep { return [] }
        self.nextSweep = now + Self.interval
        var due: [VenueOutput.Problem] = []
        for (kind, entry) in self.entries {
            if let last = entry.last, now - entry.toldAt >= Self.interval {
                // It is itself one of those that were left out.
                due.append(Self.tell(last, leftOut: entry.leftOut - 1))
                self.entries[kind] = Entry(toldAt: now)
            } else if entry.last == nil, now - entry.toldAt >= Self.memory {
                self.entries[kind] = nil
            }
        }
        return due.sorted { ($0.code, $0.message) < ($1.code, $1.message) }
    }

    private static func tell(_ problem: VenueOutput.Problem, leftOut: Int) -> VenueOutput.Problem {
        guard leftOut > 0 else { return problem }
        var problem = problem
        problem.details = problem.details.setting("unreported", to: .number(ExactDecimal(leftOut)))
        return problem
    }
}
