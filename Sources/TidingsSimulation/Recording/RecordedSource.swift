/// Plays a recording once, or again and again.
package struct RecordedSource: PlaybackSource {
    private let session: RecordedSession
    private let loops: Bool
    private var position = 0
    private var passes: Int64 = 0
    private var isWanted: [Bool]
    private var hasSelection = false

    package init(_ session: RecordedSession, loops: Bool = false) {
        self.session = session
        self.loops = loops
        self.isWanted = Array(repeating: false, count: session.topics.count)
    }

    package var nextOffset: Int64? {
        guard self.position < self.session.frames.count else { return nil }
        // A loop in which nothing is sent would turn for ever.
        if self.passes > 0, !self.hasSelection { return nil }
        return self.session.frames[self.position].offset &+ self.passes &* self.session.period
    }

    package mutating func advance(emit: (UnsafeRawBufferPointer) -> Void) {
        guard self.position < self.session.frames.count else { return }
        let frame = self.session.frames[self.position]
        self.position += 1
        if self.loops, self.position == self.session.frames.count {
            self.position = 0
            self.passes += 1
        }
        if frame.topic < 0 || self.isWanted[frame.topic] { self.session.withText(of: frame, emit) }
    }

    package mutating func select(_ subscriptions: Set<Topic>) {
        for (index, topic) in self.session.topics.enumerated() {
            self.isWanted[index] = subscriptions.contains(topic)
        }
        self.hasSelection = self.isWanted.contains(true)
    }

    /// Nothing: what the venue began with is in the recording.
    package func begin(_ topic: Topic, emit: (UnsafeRawBufferPointer) -> Void) {}

    package func acknowledgement(of topic: Topic) -> [UInt8]? {
        self.session.acknowledgement(of: topic)
    }

    package var snapshot: any VenueSnapshot {
        let position = self.passes > 0 && self.position == 0 ? self.session.frames.count : self.position
        return RecordedSnapshot(session: self.session, position: position)
    }
}

/// A recorded exchange as it was after so many frames.
struct RecordedSnapshot: VenueSnapshot {
    let session: RecordedSession
    let position: Int

    var symbols: [String] { self.session.symbols }
    var topics: [Topic] { self.session.topics }

    func recent(_ topic: Topic, limit: Int) -> [[UInt8]] {
        self.session.recent(topic, limit: limit, position: self.position)
    }

    func response(to uri: String) -> [UInt8]? {
        self.session.response(to: uri, position: self.position)
    }
}
