/// What led to an event: which subscriber, handling what, published what it came from; back to the root.
///
/// A linked list that grows by one for each handler on the way. It goes with the event as the extra key `causes`
/// (`{"depth":3,"hashes":["9f86d081884c7d65",...]}`, the nearest cause last), so that a circle is also found when it leads
/// through other programs that keep extra keys. A hash is made of the subscriber's name, the event's type and what the
/// event is about; it is the same in every process.
final class CauseChain: Sendable {
    static let key = "causes"
    /// The longest chain that is allowed.
    static let maximumDepth = 32

    private let subscriber: String
    private let subscriberID: UInt64
    private let event: String
    private let hash: UInt64
    private let earlier: CauseChain?
    /// What another program sent along; only at the root.
    private let received: [UInt64]
    let depth: Int

    /// The chain of what a subscriber publishes while it handles an event.
    convenience init(subscriber: String, subscriberID: UInt64, handling event: borrowing StandardEvent) {
        self.init(subscriber, subscriberID, event.eventType, Subject(event), earlier: event.causes)
    }

    /// The chain of what a subscriber publishes because of an event that it handled before.
    convenience init(subscriber: String, handling link: CauseLink) {
        self.init(subscriber, .max, link.type, link.subject, earlier: link.earlier)
    }

    private init(
        _ subscriber: String, _ subscriberID: UInt64, _ type: EventType, _ subject: Subject, earlier: CauseChain?
    ) {
        self.subscriber = subscriber
        self.subscriberID = subscriberID
        self.event = "\(type)\(subject.text.isEmpty ? "" : " \(subject.text)")"
        self.hash = Self.hash(subscriber, type, subject)
        self.earlier = earlier
        self.received = []
        self.depth = (self.earlier?.depth ?? 0) + 1
    }

    /// The chain that came with an event from elsewhere; `nil` when it has none, or none that can be read.
    init?(received extra: JSONObject) {
        guard let causes = extra[Self.key]?.object, let depth = causes["depth"]?.int, depth > 0,
            let hashes = causes["hashes"]?.array
        else { return nil }
        self.subscriber = "another program"
        self.subscriberID = 0
        self.event = "\(depth) steps"
        self.hash = 0
        self.earlier = nil
        self.received = hashes.suffix(Self.maximumDepth).compactMap { $0.string.flatMap { UInt64($0, radix: 16) } }
        self.depth = min(depth, Int(Int32.max))
    }

    /// Why a subscriber that gets `event` would close a circle or make the chain too long; `nil` when it would not.
    func problem(handing event: borrowing StandardEvent, to subscriber: String) -> EventBusError? {
        let subject = Subject(event)
        guard self.contains(Self.hash(subscriber, event.eventType, subject)) else { return nil }
        let about = subject.text.isEmpty ? "" : " \(subject.text)"
        return EventBusError(
            .circular, "circular chain: \(self.description) > \(subscriber) (\(event.eventType)\(about))")
    }

    /// Why nothing more may follow in this chain; `nil` while it may.
    var depthProblem: EventBusError? {
        guard self.depth > Self.maximumDepth else { return nil }
        return EventBusError(
            .circular, "chain of more than \(Self.maximumDepth) consequences: \(self.description)")
    }

    private func contains(_ hash: UInt64) -> Bool {
        var chain: CauseChain? = self
        while let current = chain {
            if current.subscriberID != 0 && current.hash == hash { return true }
            if current.received.contains(hash) { return true }
            chain = current.earlier
        }
        return false
    }

    /// Whether a subscription has handled something on the way here.
    func involves(subscriberID id: UInt64) -> Bool {
        var chain: CauseChain? = self
        while let current = chain {
            if current.subscriberID == id { return true }
            chain = current.earlier
        }
        return false
    }

    private static func hash(_ subscriber: String, _ type: EventType, _ subject: Subject) -> UInt64 {
        var hash = StableHash()
        hash.combine(subscriber)
        type.withUTF8 { hash.combine($0) }
        hash.combine(subject.hash)
        return hash.finish().high
    }

    /// The hashes, the oldest first, as many as are allowed.
    private var hashes: [UInt64] {
        var hashes: [UInt64] = []
        var chain: CauseChain? = self
        while let current = chain {
            if current.subscriberID != 0 { hashes.append(current.hash) }
            hashes += current.received.reversed()
            chain = current.earlier
        }
        return hashes.prefix(Self.maximumDepth).reversed()
    }

    /// What stands under the extra key.
    var object: JSONObject {
        [
            "depth": .number(ExactDecimal(self.depth)),
            "hashes": .array(self.hashes.map { .string(Self.text($0)) }),
        ]
    }

    fileprivate static func text(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension CauseChain: CustomStringConvertible {
    /// Who handled what, from the root on.
    var description: String {
        var steps: [String] = []
        var chain: CauseChain? = self
        while let current = chain {
            steps.append("\(current.subscriber) (\(current.event))")
            chain = current.earlier
        }
        return steps.reversed().joined(separator: " > ")
    }
}

/// What is kept of an event to name it in a chain later. Small for market data.
struct CauseLink: Sendable {
    let type: EventType
    let earlier: CauseChain?
    private let symbol: Name?
    /// What the event is about, where its symbol does not say it all.
    private let whole: Subject?

    init(_ event: borrowing StandardEvent) {
        self.type = event.eventType
        self.earlier = event.causes
        switch event.payload.kind {
        case .trade, .ticker, .orderBook:
            self.symbol = event.payload.symbol
            self.whole = nil
        case .candle, .object:
            self.symbol = nil
            self.whole = Subject(event)
        }
    }

    fileprivate var subject: Subject { self.whole ?? Subject(symbol: self.symbol) }
}

/// What an event is about: its symbol and interval, item and address; where it names none of these, all of its payload.
private struct Subject: Sendable {
    let hash: UInt64
    let text: String

    init(symbol: Name?) {
        self.init([symbol?.description ?? ""])
    }

    init(_ event: borrowing StandardEvent) {
        if let candle = event.payload.typedCandle {
            self.init([candle.symbol.description, candle.interval.description])
        } else if let object = event.payload.openObject {
            let parts = [object.symbol?.description, object["item"]?.string, object["url"]?.string].compactMap { $0 }
            if parts.isEmpty {
                var hash = StableHash()
                object.withUTF8 { hash.combine($0) }
                self.init(hash: hash.finish().high, text: "")
            } else {
                self.init(parts)
            }
        } else {
            self.init(symbol: event.payload.symbol)
        }
    }

    private init(_ parts: [String]) {
        var hash = StableHash()
        for part in parts { hash.combine(part) }
        self.init(hash: hash.finish().high, text: parts.filter { !$0.isEmpty }.joined(separator: " "))
    }

    private init(hash: UInt64, text: String) {
        self.hash = hash
        self.text = text
    }
}

extension Payload {
    fileprivate var typedCandle: Candle? {
        self.kind == .candle ? self.candle : nil
    }

    fileprivate var openObject: JSONObject? {
        self.kind == .object ? self.object : nil
    }
}

extension JSONWriter {
    mutating func write(_ causes: CauseChain) {
        causes.object.withUTF8 { self.write(bytes: $0) }
    }
}
