/// How big an event may be that a bus takes. Market data of ours is bounded by its shape and not measured.
public struct IngressLimits: Sendable, Equatable {
    /// Bytes of payload and extra keys together.
    public var maximumByteCount: Int
    /// Containers inside one another, the event itself included, as the reader of JSON counts them: an event that is
    /// taken can be read back.
    public var maximumDepth: Int

    public init(maximumByteCount: Int = 1 << 20, maximumDepth: Int = 64) {
        self.maximumByteCount = maximumByteCount
        self.maximumDepth = maximumDepth
    }
}
