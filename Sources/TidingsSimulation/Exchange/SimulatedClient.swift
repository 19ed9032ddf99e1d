/// What a venue remembers of one connection. A plain value on the connection's event loop.
package struct SimulatedClient: Sendable {
    /// More are refused: no client may make us remember without end.
    package static let maximumSubscriptions = 4096

    /// The path and query of its URL.
    package var path: String
    /// Whether a recording is played, whose frames are sent as they are.
    package var isRecorded: Bool
    package var subscriptions: Set<Topic>
    /// Whether frames tell the name of their stream.
    package var isCombined = false
    /// What the client itself calls a subscription, where that is told apart.
    package var names: [Topic: String] = [:]
    /// How many levels a side were asked for, by topic.
    package var depths: [Topic: Int] = [:]
    /// The number of the next frame, on venues that number them.
    package var nextSequence: UInt64 = 0
    /// Heartbeats sent so far.
    package var heartbeats: UInt64 = 0

    package init(path: String = "/", isRecorded: Bool = false, subscriptions: Set<Topic> = []) {
        self.path = path
        self.isRecorded = isRecorded
        self.subscriptions = subscriptions
    }

    /// Forgets a subscription.
    /// - Returns: whether there was one.
    @discardableResult
    package mutating func unsubscribe(_ topic: Topic) -> Bool {
        self.names[topic] = nil
        self.depths[topic] = nil
        return self.subscriptions.remove(topic) != nil
    }

    /// Whether so many more subscriptions may be added.
    package func hasRoom(for count: Int) -> Bool {
        count <= Self.maximumSubscriptions - self.subscriptions.count
    }
}
