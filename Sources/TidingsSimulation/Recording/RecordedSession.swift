internal import Tidings

/// A recording, sorted by what its frames are to a playback. Shared by all connections.
package final class RecordedSession: Sendable {
    package struct Frame: Sendable {
        /// Nanoseconds after the first frame that the venue sent.
        package var offset: Int64
        /// Index into ``RecordedSession/topics``; -1 = for everybody.
        package var topic: Int
        package var text: Range<Int>
    }

    package let frames: [Frame]
    package let topics: [Topic]
    package let symbols: [String]
    /// What the next pass of a loop is later by.
    package let period: Int64
    /// When the venue's first frame came, in nanoseconds since 1970.
    package let start: Int64
    let venue: any SimulatedVenue
    private let bytes: [UInt8]
    private let topicIndex: [Topic: Int]
    private let framesByTopic: [[Int]]
    private let acknowledgements: [Topic: [UInt8]]
    private let jointAcknowledgements: [Set<Topic>: [UInt8]]
    private let responses: [String: [(offset: Int64, text: Range<Int>)]]
    /// What HTTP answers say about books, the first of each symbol.
    let bookResponses: [String: BookChange]
    /// The books as they were last asked for, by topic: who asks next asks a little later as a rule.
    let books = Locked<[Int: (frames: Int, book: SimulatedBook)]>([:])
    /// The trades of a topic, each with the number of its frame, once somebody asked.
    let tradeLists = Locked<[Int: [(frame: Int, trade: TradeRecord)]]>([:])

    package init(_ recording: Recording, venue: any SimulatedVenue) {
        let start = recording.frames.first { $0.kind == .received }?.time ?? 0
        var frames: [Frame] = []
        var index: [Topic: Int] = [:]
        var topics: [Topic] = []
        var framesByTopic: [[Int]] = []
        var acknowledgements: [Topic: [UInt8]] = [:]
        var joint: [Set<Topic>: [UInt8]] = [:]
        var responses: [String: [(offset: Int64, text: Range<Int>)]] = [:]
        var bookResponses: [String: BookChange] = [:]
        for frame in recording.frames {
            if frame.kind == .response, let url = frame.url {
                let uri = pathAndQuery(of: url)
                responses[uri, default: []].append((frame.time - start, frame.text))
                let change = recording.bytes.withUnsafeBytes { bytes in
                    venue.bookChange(inResponse: UnsafeRawBufferPointer(rebasing: bytes[frame.text]), to: uri)
                }
                if let change, bookResponses[change.symbol] == nil { bookResponses[change.symbol] = change }
            }
            guard frame.kind == .received else { continue }
            let role = recording.bytes.withUnsafeBytes { bytes in
                venue.role(of: UnsafeRawBufferPointer(rebasing: bytes[frame.text]))
            }
            var topicNumber = -1
            switch role {
            case .answer: continue
            case .acknowledgement(let acknowledged):
                for topic in acknowledged where acknowledgements[topic] == nil {
                    acknowledgements[topic] = recording.text(of: frame)
                }
                if joint[Set(acknowledged)] == nil { joint[Set(acknowledged)] = recording.text(of: frame) }
                continue
            case .everyone: break
            case .data(let topic):
                topicNumber = index[topic] ?? topics.count
                if topicNumber == topics.count {
                    index[topic] = topicNumber
                    topics.append(topic)
                    framesByTopic.append([])
                }
                framesByTopic[topicNumber].append(frames.count)
            }
            frames.append(Frame(offset: frame.time - start, topic: topicNumber, text: frame.text))
        }
        self.frames = frames
        self.topics = topics
        self.topicIndex = index
        self.framesByTopic = framesByTopic
        self.acknowledgements = acknowledgements
        self.jointAcknowledgements = joint
        self.responses = responses
        self.bookResponses = bookResponses
        self.start = start
        self.venue = venue
        self.bytes = recording.bytes
        self.symbols = Set(topics.map(\.symbol)).union(bookResponses.keys).subtracting([""]).sorted()
        let duration = (frames.last?.offset ?? 0) - (frames.first?.offset ?? 0)
        // The next pass begins after a pause as long as the frames have between them on average.
        self.period = duration + max(frames.count > 1 ? duration / Int64(frames.count - 1) : 0, 1_000_000)
    }

    package func withText<Result>(of frame: Frame, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[frame.text])) }
    }

    package func acknowledgement(of topic: Topic) -> [UInt8]? {
        self.acknowledgements[topic]
    }

    func acknowledgement(ofAll topics: Set<Topic>) -> [UInt8]? {
        self.jointAcknowledgements[topics]
    }

    func topicNumber(_ topic: Topic) -> Int? {
        self.topicIndex[topic]
    }

    /// Up to `limit` frames of a topic, oldest first, among the first `position` frames; where that is none yet,
    /// the topic's first one.
    func recent(_ topic: Topic, limit: Int, position: Int) -> [[UInt8]] {
        guard limit > 0, let number = self.topicIndex[topic] else { return [] }
        let all = self.framesByTopic[number]
        let end = max(self.count(of: number, before: position), 1)
        return all[max(0, end - limit)..<end].map { Array(self.bytes[self.frames[$0].text]) }
    }

    /// How many frames of a topic are among the first `position` ones.
    func count(of topic: Int, before position: Int) -> Int {
        let all = self.framesByTopic[topic]
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The numbers of a topic's frames.
    func frameNumbers(of topic: Int) -> [Int] {
        self.framesByTopic[topic]
    }

    /// The last answer recorded up to a point, or else the first.
    func response(to uri: String, position: Int) -> [UInt8]? {
        guard let all = self.responses[uri] else { return nil }
        let now = position < self.frames.count ? self.frames[position].offset : .max
        let found = all.last { $0.offset <= now } ?? all.first
        return found.map { Array(self.bytes[$0.text]) }
    }
}

/// `/a?b=c` of `https://host/a?b=c`.
func pathAndQuery(of url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    guard let slash = url[scheme.upperBound...].firstIndex(of: "/") else { return "/" }
    return String(url[slash...])
}
