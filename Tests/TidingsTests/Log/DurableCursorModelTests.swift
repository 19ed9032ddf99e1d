import Testing

@testable import Tidings

/// The tracker beside a reference so simple that it cannot be wrong: sets of offsets.
@Suite struct DurableCursorModelTests {
    private enum Step: Equatable {
        case handOut
        case acknowledge(Int)
        case save
        case crash
        case retain
    }

    /// One subscription on a log of a few offsets, some of which match.
    private struct Run {
        let matching: [Bool]
        let capacity: Int
        var tracker: DurableCursorTracker
        var saved: DurableCursor?
        var oldest: Int64 = 1

        // The reference.
        var outstanding: [Int64] = []
        var done: Set<Int64> = []
        var savedDone: Set<Int64> = []
        var handedOut: Set<Int64> = []
        var everDone: Set<Int64> = []

        init(matching: [Bool], capacity: Int) {
            self.matching = matching
            self.capacity = capacity
            self.tracker = DurableCursorTracker(
                DurableCursor(), bounds: LogBounds(oldest: 1, head: Int64(matching.count)), capacity: capacity)
        }

        var head: Int64 { Int64(self.matching.count) }

        private func matches(_ offset: Int64) -> Bool { self.matching[Int(offset) - 1] }

        /// What a reader of the log finds: the next offset that matches, if there is one.
        private var next: Int64? {
            var offset = max(self.tracker.position + 1, self.oldest)
            while offset <= self.head {
                if self.matches(offset) { return offset }
                offset += 1
            }
            return nil
        }

        /// The steps that can be taken now.
        var steps: [Step] {
            var steps: [Step] = [.save, .crash]
            if self.tracker.room > 0, self.tracker.position < self.head { steps.append(.handOut) }
            if self.oldest <= self.head { steps.append(.retain) }
            return steps + self.outstanding.indices.map { .acknowledge($0) }
        }

        mutating func take(_ step: Step) -> Bool {
            switch step {
            case .handOut:
                guard let offset = self.next else {
                    self.tracker.pass(through: self.head)
                    break
                }
                let isHandedOut = self.tracker.examine(offset)
                // Just what the reference does not know as done.
                guard isHandedOut == !self.done.contains(offset), self.handedOut.insert(offset).inserted else {
                    return false
                }
                if isHandedOut { self.outstanding.append(offset) }
            case .acknowledge(let index):
                let offset = self.outstanding.remove(at: index)
                guard self.tracker.acknowledge(offset) == (offset >= self.oldest) else { return false }
                self.done.insert(offset)
                self.everDone.insert(offset)
            case .save:
                let before = self.tracker.cursor
                let taken = self.tracker.takeCursorToSave()
                // Nothing to save means that what is saved is still right.
                guard taken == before || (taken == nil && before == (self.saved ?? DurableCursor())) else {
                    return false
                }
                if let taken { self.saved = taken }
                self.savedDone = self.done
            case .crash:
                self.tracker = DurableCursorTracker(
                    self.saved ?? DurableCursor(), bounds: LogBounds(oldest: self.oldest, head: self.head),
                    capacity: self.capacity)
                self.done = self.savedDone
                self.outstanding = []
                // Below the low water nothing is read again.
                self.handedOut = self.savedDone.filter { $0 <= self.tracker.lowWater }
            case .retain:
                self.oldest += 1
                self.tracker.deleted(below: self.oldest)
            }
            return self.isRight
        }

        private var isRight: Bool {
            let cursor = self.tracker.cursor
            let open = self.outstanding.filter { $0 >= self.oldest }
            // As high as can be: the first that is open stops it.
            let lowWater = open.min().map { $0 - 1 } ?? self.tracker.position
            let remembered = self.done.filter { $0 > cursor.lowWater && $0 >= self.oldest }
            return cursor.lowWater == lowWater && cursor.acknowledged == remembered.sorted()
                && self.tracker.outstanding == open.count
                && cursor.acknowledged.count + open.count <= self.capacity
        }

        /// Hands out and acknowledges the rest: then all that was not deleted is done.
        mutating func finish() -> Bool {
            while self.tracker.position < self.head || !self.outstanding.isEmpty {
                let step: Step =
                    self.tracker.room > 0 && self.tracker.position < self.head ? .handOut : .acknowledge(0)
                guard self.take(step) else { return false }
            }
            let all = (1...self.head).filter { self.matches($0) && $0 >= self.oldest }
            return self.everDone.isSuperset(of: all) && self.tracker.cursor == DurableCursor(lowWater: self.head)
        }
    }

    @Test func `every way through a short log, with every filter, crash and save, agrees with the reference`() {
        var ways = 0
        for filter in 0..<16 {
            let matching = (0..<4).map { filter >> $0 & 1 == 1 }
            for capacity in [1, 3] {
                Self.explore(Run(matching: matching, capacity: capacity), depth: 5, &ways)
            }
        }
        #expect(ways > 20_000)
    }

    private static func explore(_ run: Run, depth: Int, _ ways: inout Int) {
        guard depth > 0 else {
            ways += 1
            var run = run
            if !run.finish() { Issue.record("\(run) does not end well") }
            return
        }
        for step in run.steps {
            var next = run
            guard next.take(step) else {
                Issue.record("\(run) after \(step): \(next)")
                return
            }
            Self.explore(next, depth: depth - 1, &ways)
        }
    }

    @Test(arguments: 0..<200)
    func `long random runs with crashes agree with the reference`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let count = Int.random(in: 1...300, using: &random)
        let share = Int.random(in: 1...100, using: &random)
        let matching = (0..<count).map { _ in Int.random(in: 1...100, using: &random) <= share }
        var run = Run(matching: matching, capacity: Int.random(in: 1...40, using: &random))
        for _ in 0..<600 {
            var steps = run.steps
            // Crashes and deletions are rare, or nothing would ever come far.
            if Int.random(in: 0..<20, using: &random) > 0 { steps.removeAll { $0 == .crash || $0 == .retain } }
            guard let step = steps.randomElement(using: &random) else { return }
            guard run.take(step) else {
                Issue.record("seed \(seed): \(step) in \(run)")
                return
            }
        }
        let endsWell = run.finish()
        #expect(endsWell)
    }
}
