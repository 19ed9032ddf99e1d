internal import Tidings

/// Where the youngest playback stands, for those who ask over HTTP.
final class SnapshotBoard: Sendable {
    private struct State {
        var youngest = 0
        var snapshot: any VenueSnapshot
    }

    private let state: Locked<State>

    init(_ snapshot: any VenueSnapshot) {
        self.state = Locked(State(snapshot: snapshot))
    }

    /// A playback begins.
    /// - Returns: its number, with which it reports.
    func begin() -> Int {
        self.state.withLock { state in
            state.youngest += 1
            return state.youngest
        }
    }

    /// Counts only while no younger playback has begun.
    func report(_ snapshot: any VenueSnapshot, of playback: Int) {
        self.state.withLock { state in
            if playback == state.youngest { state.snapshot = snapshot }
        }
    }

    var snapshot: any VenueSnapshot {
        self.state.withLock { $0.snapshot }
    }
}
