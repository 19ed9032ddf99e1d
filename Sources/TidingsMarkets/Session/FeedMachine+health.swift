import Tidings

extension FeedMachine {
    /// How the connector is doing.
    var health: ConnectorHealth {
        var health = ConnectorHealth(
            connector: self.tell.source.description, state: self.phase, symbols: self.symbols,
            lastMessageAt: self.lastMessageAt, latencyMs: self.latency.milliseconds, messages: self.messages,
            reconnects: self.connectionsOpened > 1 ? self.connectionsOpened - 1 : 0, resyncs: self.resyncs,
            dropped: self.dropped, reason: self.phaseReason)
        for (index, symbol) in self.symbolStates.enumerated() {
            if let reason = symbol.staleReason {
                health.stale.append(ConnectorHealth.SymbolMark(symbol: self.symbols[index], reason: reason))
            }
            if let reason = symbol.resyncingReason {
                health.resyncing.append(ConnectorHealth.SymbolMark(symbol: self.symbols[index], reason: reason))
            }
        }
        // A connection that stands is as well as the worst of its symbols.
        guard self.phase == .connected || self.phase == .subscribed else { return health }
        if let worst = health.stale.first {
            health.state = .stale
            health.reason = "\(worst.symbol): \(worst.reason)"
        } else if let worst = health.resyncing.first {
            health.state = .resyncing
            health.reason = "\(worst.symbol): \(worst.reason)"
        }
        return health
    }
}

/// From the venue's time to ours, smoothed over about ten readings.
struct SmoothedLatency: Sendable {
    private(set) var milliseconds: Double?

    mutating func note(from venueTime: Timestamp, to ours: Timestamp) {
        let (late, overflow) = ours.nanoseconds.subtractingReportingOverflow(venueTime.nanoseconds)
        guard !overflow else { return }
        let sample = Double(late) / 1_000_000
        self.milliseconds = self.milliseconds.map { $0 * 0.9 + sample * 0.1 } ?? sample
    }
}
