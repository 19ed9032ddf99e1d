/// The values that a metric's label may take: the first so many that occur, and `other` for all the rest, so that names from
/// the network cannot make metrics grow without bound. Once a value has its own place it keeps it.
package struct BoundedLabels: Sendable {
    package static let other = "other"

    private let capacity: Int
    private var known: Set<String> = []

    package init(capacity: Int = 100) {
        self.capacity = capacity
    }

    /// What stands for a value: itself, or `other`.
    package mutating func label(for value: String) -> String {
        if self.known.contains(value) { return value }
        guard self.known.count < self.capacity else { return Self.other }
        self.known.insert(value)
        return value
    }

    /// Counts by name, with what has no label of its own under `other`.
    package mutating func labelled(_ counts: [String: UInt64]) -> [String: UInt64] {
        var labelled: [String: UInt64] = [:]
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            labelled[self.label(for: name), default: 0] &+= count
        }
        return labelled
    }

    /// Subscriptions by name: those of one name as one, and what has no label of its own under `other`.
    package mutating func labelled(_ subscriptions: [SubscriptionSnapshot]) -> [SubscriptionSnapshot] {
        var labelled: [SubscriptionSnapshot] = []
        var places: [String: Int] = [:]
        for var subscription in subscriptions {
            subscription.name = self.label(for: subscription.name)
            if let place = places[subscription.name] {
                labelled[place].add(subscription)
            } else {
                places[subscription.name] = labelled.count
                labelled.append(subscription)
            }
        }
        return labelled
    }
}
