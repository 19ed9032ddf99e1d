internal import Logging

/// What the connections of a simulator share.
struct SimulatorContext: Sendable {
    let venue: any SimulatedVenue
    let symbols: Set<String>
    let isRecorded: Bool
    let faults: FaultPlan
    let ban: HandshakeBan
    let board: SnapshotBoard
    let logger: Logger
}
