/// Where the frames of a playback come from, in order, each at its time.
package protocol PlaybackSource: Sendable {
    /// When the next tick is due, in nanoseconds of the source's own time; `nil` when nothing is left to send.
    var nextOffset: Int64? { get }

    /// Moves past the next tick, and emits the frames of it that are subscribed to.
    mutating func advance(emit: (UnsafeRawBufferPointer) -> Void)

    /// From here on this is what the client subscribes to.
    mutating func select(_ client: SimulatedClient)

    /// Emits what a new subscription begins with.
    func begin(_ topic: Topic, emit: (UnsafeRawBufferPointer) -> Void)

    /// The venue's own answer to a new subscription, where there is one.
    func acknowledgement(of topic: Topic) -> [UInt8]?

    /// The venue's own message that tells exactly these subscriptions, where there is one.
    func acknowledgement(ofAll topics: Set<Topic>) -> [UInt8]?

    /// What the exchange knows at this point.
    var snapshot: any VenueSnapshot { get }

    /// A book's frame of the last tick with an error in it; `nil` for frames that will not do.
    func corrupted(_ frame: UnsafeRawBufferPointer) -> [UInt8]?
}

extension PlaybackSource {
    /// From here on these are subscribed to.
    package mutating func select(_ subscriptions: Set<Topic>) {
        self.select(SimulatedClient(subscriptions: subscriptions))
    }
}
