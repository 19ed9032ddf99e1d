/// What a bus counts in all, by the names that metrics use.
package enum BusTotal: String, CaseIterable, Sendable {
    case duplicates, refused, delivered, dropped, conflated, failed, retried, dead

    package func value(in statistics: BusStatistics) -> UInt64 {
        switch self {
        case .duplicates: statistics.duplicates
        case .refused: statistics.refused
        case .delivered: statistics.delivered
        case .dropped: statistics.dropped
        case .conflated: statistics.conflated
        case .failed: statistics.failed
        case .retried: statistics.retried
        case .dead: statistics.dead
        }
    }
}

/// What each subscription counts, by the names that metrics use.
package enum SubscriptionTotal: String, CaseIterable, Sendable {
    case delivered, dropped, conflated, failed, retried, dead

    package func value(in statistics: SubscriptionStatistics) -> UInt64 {
        switch self {
        case .delivered: statistics.delivered
        case .dropped: statistics.dropped
        case .conflated: statistics.conflated
        case .failed: statistics.failed
        case .retried: statistics.retried
        case .dead: statistics.dead
        }
    }
}
