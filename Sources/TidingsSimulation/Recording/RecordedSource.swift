/// Plays a recording once, or again and again.
package struct RecordedSource: PlaybackSource {
    private let session: RecordedSession
    private let loops: Bool
    private var position = 0
    private var passes: Int64 = 0
    private var isWanted: [Bool]
    private var hasSelection = false
    private var client = SimulatedClient(isRecorded: true)

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

    package mutating func select(_ client: SimulatedClient) {
        self.client = client
        for index in self.isWanted.indices { self.isWanted[index] = false }
        for topic in client.subscriptions {
            if let index = self.session.number(nearestTo: topic) { self.isWanted[index] = true }
        }
        self.hasSelection = self.isWanted.contains(true)
    }

    /// What the venue began with is in the recording; in the middle of it, it is made.
    package func begin(_ topic: Topic, emit: (UnsafeRawBufferPointer) -> Void) {
        guard let number = self.session.number(nearestTo: topic) else { return }
        guard self.passes > 0 || self.session.count(of: number, before: self.position) > 0 else { return }
        for frame in self.session.venue.first(of: topic, from: self.snapshot, for: self.client) {
            frame.withUnsafeBytes(emit)
        }
    }

    package func acknowledgement(of topic: Topic) -> [UInt8]? {
        self.session.acknowledgement(of: topic)
    }

    package func acknowledgement(ofAll topics: Set<Topic>) -> [UInt8]? {
        self.session.acknowledgement(ofAll: topics)
    }

    package var snapshot: any VenueSnapshot {
        RecordedSnapshot(session: self.session, position: self.position, isRepeated: self.passes > 0)
    }

    package func corrupted(_ frame: UnsafeRawBufferPointer) -> [UInt8]? {
        self.session.venue.corrupted(frame, from: self.snapshot)
    }
}

/// A recorded exchange as it was after so many frames.
struct RecordedSnapshot: VenueSnapshot {
    let session: RecordedSession
    let position: Int
    /// Whether the recording was played to its end before.
    var isRepeated = false

    var symbols: [String] { self.session.symbols }
    var topics: [Topic] { self.session.topics }

    func recent(_ topic: Topic, limit: Int) -> [[UInt8]] {
        let topic = self.session.number(nearestTo: topic).map { self.session.topics[$0] } ?? topic
        // Of a pass that has nothing on it yet, the end of the pass before counts.
        let isNew = self.session.topicNumber(topic).map { self.session.count(of: $0, before: self.position) == 0 }
        let position = self.isRepeated && isNew == true ? self.session.frames.count : self.position
        return self.session.recent(topic, limit: limit, position: position)
    }

    func response(to uri: String) -> [UInt8]? {
        self.session.response(to: uri, position: self.position)
    }

    var time: Int64 {
        let index = min(max(self.position - 1, 0), self.session.frames.count - 1)
        let offset = index >= 0 ? self.session.frames[index].offset : 0
        return (self.session.start &+ offset) / 1_000_000
    }

    func book(of symbol: String) -> SimulatedBook? {
        self.session.book(of: symbol, position: self.position, isRepeated: self.isRepeated)
    }

    func firstBook(of symbol: String) -> SimulatedBook? {
        self.session.firstBook(of: symbol)
    }

    func trades(of symbol: String) -> [TradeRecord] {
        self.session.trades(of: symbol, position: self.isRepeated ? self.session.frames.count : self.position)
    }

    func candles(of symbol: String, _ interval: CandleInterval) -> [CandleRecord] {
        TidingsSimulation.candles(of: self.trades(of: symbol), interval)
    }

    func instrument(_ symbol: String) -> InstrumentRecord {
        self.session.instrument(symbol)
    }
}
