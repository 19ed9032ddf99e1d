internal import Tidings

/// A fault as a playback sees it.
package struct PlannedFault: Equatable, Sendable {
    /// Its number in the simulator's plan.
    package var index: Int
    /// Nanoseconds of the source's time after the playback's beginning.
    package var offset: Int64

    package init(index: Int, offset: Int64) {
        self.index = index
        self.offset = offset
    }
}

/// The faults of a simulator, each of which can be had once.
final class FaultPlan: Sendable {
    /// In order of time.
    let faults: [Fault]
    private let done: Locked<[Bool]>

    init(_ faults: [Fault]) {
        self.faults = faults.sorted { $0.time < $1.time }
        self.done = Locked(Array(repeating: false, count: faults.count))
    }

    /// The fault with this index, unless another connection had it before.
    func claim(_ index: Int) -> Fault? {
        self.done.withLock { done in
            guard done.indices.contains(index), !done[index] else { return nil }
            done[index] = true
            return self.faults[index]
        }
    }

    /// What is still to come, for a playback that starts.
    var pending: [PlannedFault] {
        self.done.withLock { done in
            self.faults.indices.filter { !done[$0] }.map {
                PlannedFault(index: $0, offset: self.faults[$0].time.wholeNanoseconds)
            }
        }
    }
}

extension Duration {
    /// Clamped to what 64 bits hold.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return sumOverflow ? .max : sum
    }
}
