internal import Tidings

/// Where the youngest playback stands, for those who ask over HTTP.
final class SnapshotBoard: Sendable {
    private struct State {
        var youngest = 0
        var snapshot: any VenueSnapshot
        /// When the youngest playback began, and whose first book was asked for since.
        var began: Int64 = 0
        var asked: Set<String> = []
    }

    /// A client that asks later than this after its first subscription does not ask for its beginning any more.
    private static let beginning: Int64 = 10_000_000_000

    private let state: Locked<State>

    init(_ snapshot: any VenueSnapshot) {
        self.state = Locked(State(snapshot: snapshot))
    }

    /// A playback begins.
    /// - Returns: its number, with which it reports.
    func begin(now: Int64) -> Int {
        self.state.withLock { state in
            state.youngest += 1
            state.began = now
            state.asked.removeAll()
            return state.youngest
        }
    }

    /// Counts only while no younger playback has begun.
    func report(_ snapshot: any VenueSnapshot, of playback: Int) {
        self.state.withLock { state in
            if playback == state.youngest { state.snapshot = snapshot }
        }
    }

    /// Whether a symbol's book is asked for the first time since the youngest playback began, soon after it did.
    func isFirst(_ symbol: String, now: Int64) -> Bool {
        self.state.withLock { state in
            if state.youngest == 0 { return true }
            // Only symbols there are get this far.
            return state.asked.insert(symbol).inserted && now - state.began < Self.beginning
        }
    }

    var snapshot: any VenueSnapshot {
        self.state.withLock { $0.snapshot }
    }
}
