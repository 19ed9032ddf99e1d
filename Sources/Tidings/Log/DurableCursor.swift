/// How far a durable subscription has come in the log.
public struct DurableCursor: Sendable, Equatable {
    /// Everything up to here is done.
    public var lowWater: Int64
    /// What is done above the low water, ascending.
    public var acknowledged: [Int64]

    public init(lowWater: Int64 = 0, acknowledged: [Int64] = []) {
        self.lowWater = lowWater
        self.acknowledged = acknowledged
    }
}
