/// One thing that happened: the envelope that every producer, bus, log and client shares.
///
/// A plain value. Creating one allocates nothing when its texts are known names and its payload is a trade.
public struct StandardEvent: Sendable {
    // Plain words with two references at the end, so that copying an event is a copy of memory and two counts. A text
    // that does not fit (an identifier that is no canonical UUID, a name that is not interned) is in the details.
    @usableFromInline var idHigh: UInt64
    @usableFromInline var idLow: UInt64
    @usableFromInline var correlationHigh: UInt64
    @usableFromInline var correlationLow: UInt64
    @usableFromInline var parentHigh: UInt64
    @usableFromInline var parentLow: UInt64
    @usableFromInline var nanoseconds: Int64
    @usableFromInline var typeNumber: UInt16
    @usableFromInline var sourceNumber: UInt16
    @usableFromInline var precision: Timestamp.Precision
    @usableFromInline var flags: Flags
    public var priority: EventPriority
    public var payload: Payload
    /// What most events do not have.
    @usableFromInline var details: Details?

    @usableFromInline
    struct Flags: OptionSet, Sendable {
        @usableFromInline let rawValue: UInt8

        @inlinable
        @inline(__always)
        init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        @inlinable static var idIsText: Flags { Flags(rawValue: 1) }
        @inlinable static var correlationIsText: Flags { Flags(rawValue: 2) }
        @inlinable static var parentIsText: Flags { Flags(rawValue: 4) }
        @inlinable static var hasParent: Flags { Flags(rawValue: 8) }
    }

    /// A new event.
    ///
    /// - Parameters:
    ///   - eventID: a new UUIDv7 unless given.
    ///   - timestamp: now unless given.
    ///   - correlationID: the event's own id unless given; inside a handler the bus makes it that of the current event.
    @inlinable
    public init(
        eventType: EventType,
        source: Name,
        payload: Payload,
        priority: EventPriority = .normal,
        timestamp: Timestamp? = nil,
        eventID: EventID? = nil,
        correlationID: EventID? = nil,
        parentEventID: EventID? = nil
    ) {
        // Every field is set once, and nothing is called on the whole: an optimiser can then put the event together where
        // it is wanted instead of copying it there.
        let timestamp = timestamp ?? Timestamp.now()
        let id = eventID ?? EventID(at: timestamp)
        let idWords = id.words
        let correlationWords = correlationID?.words ?? idWords
        let parentWords = parentEventID?.words ?? (0, 0)
        let typeNumber = eventType.number
        let sourceNumber = source.number
        var flags: Flags = parentEventID == nil ? [] : .hasParent
        if eventID?.text != nil { flags.formUnion(correlationID == nil ? [.idIsText, .correlationIsText] : .idIsText) }
        if correlationID?.text != nil { flags.formUnion(.correlationIsText) }
        if parentEventID?.text != nil { flags.formUnion(.parentIsText) }
        (self.idHigh, self.idLow) = (idWords.high, idWords.low)
        (self.correlationHigh, self.correlationLow) = (correlationWords.high, correlationWords.low)
        (self.parentHigh, self.parentLow) = (parentWords.0, parentWords.1)
        self.nanoseconds = timestamp.nanoseconds
        self.typeNumber = typeNumber
        self.sourceNumber = sourceNumber
        self.precision = timestamp.precision
        self.flags = flags
        self.priority = priority
        self.payload = payload
        let hasTexts =
            typeNumber == EventType.notInterned || sourceNumber == Name.notInterned
            || !flags.isDisjoint(with: [.idIsText, .correlationIsText, .parentIsText])
        self.details = hasTexts ? Self.texts(eventType, source, id, correlationID ?? id, parentEventID) : nil
    }

    /// Keeps what does not fit the words above.
    @usableFromInline
    @inline(never)
    static func texts(
        _ type: EventType, _ source: Name, _ id: EventID, _ correlation: EventID, _ parent: EventID?
    ) -> Details {
        var content = Details.Content()
        content.texts = Details.Texts(
            eventID: id.text, correlationID: correlation.text, parentEventID: parent?.text, eventType: type.text,
            source: source.text)
        return Details(content)
    }

    /// A blank event, to be filled in by a decoder.
    @inline(__always)
    init() {
        (self.idHigh, self.idLow) = (0, 0)
        (self.correlationHigh, self.correlationLow) = (0, 0)
        (self.parentHigh, self.parentLow) = (0, 0)
        self.nanoseconds = 0
        self.precision = .seconds
        self.typeNumber = 0
        self.sourceNumber = 0
        self.flags = []
        self.priority = .normal
        self.payload = Payload()
        self.details = nil
    }

    /// A new event; the same as the initialiser, by the name that the Python framework uses.
    @inlinable
    public static func create(
        eventType: EventType,
        source: Name,
        payload: Payload,
        priority: EventPriority = .normal,
        timestamp: Timestamp? = nil,
        correlationID: EventID? = nil,
        parentEventID: EventID? = nil
    ) -> StandardEvent {
        StandardEvent(
            eventType: eventType, source: source, payload: payload, priority: priority, timestamp: timestamp,
            correlationID: correlationID, parentEventID: parentEventID)
    }

    // MARK: Fields

    /// Unique for the event; see ``EventID``.
    public var eventID: EventID {
        get {
            if self.flags.contains(.idIsText), let text = self.details?.content.texts.eventID {
                return EventID(text: text)
            }
            return EventID(high: self.idHigh, low: self.idLow)
        }
        set {
            (self.idHigh, self.idLow) = newValue.words
            if newValue.text != nil || self.flags.contains(.idIsText) {
                self.keep(newValue.text, .idIsText, at: \.eventID)
            }
        }
    }

    /// What belongs together shares it. An event without a cause is its own correlation.
    public var correlationID: EventID {
        get {
            if self.flags.contains(.correlationIsText), let text = self.details?.content.texts.correlationID {
                return EventID(text: text)
            }
            return EventID(high: self.correlationHigh, low: self.correlationLow)
        }
        set {
            (self.correlationHigh, self.correlationLow) = newValue.words
            if newValue.text != nil || self.flags.contains(.correlationIsText) {
                self.keep(newValue.text, .correlationIsText, at: \.correlationID)
            }
        }
    }

    /// The event that led to this one.
    public var parentEventID: EventID? {
        get {
            guard self.flags.contains(.hasParent) else { return nil }
            if self.flags.contains(.parentIsText), let text = self.details?.content.texts.parentEventID {
                return EventID(text: text)
            }
            return EventID(high: self.parentHigh, low: self.parentLow)
        }
        set {
            (self.parentHigh, self.parentLow) = newValue?.words ?? (0, 0)
            if newValue == nil { self.flags.remove(.hasParent) } else { self.flags.insert(.hasParent) }
            if newValue?.text != nil || self.flags.contains(.parentIsText) {
                self.keep(newValue?.text, .parentIsText, at: \.parentEventID)
            }
        }
    }

    public var eventType: EventType {
        get {
            if self.typeNumber == EventType.notInterned, let text = self.details?.content.texts.eventType {
                return EventType(text: text)
            }
            return EventType(number: self.typeNumber)
        }
        set {
            let hadText = self.typeNumber == EventType.notInterned
            self.typeNumber = newValue.number
            if hadText || newValue.text != nil { self.change { $0.texts.eventType = newValue.text } }
        }
    }

    /// Where it comes from: a connector, a scraper, a program.
    public var source: Name {
        get {
            if self.sourceNumber == Name.notInterned, let text = self.details?.content.texts.source {
                return Name(text: text)
            }
            return Name(number: self.sourceNumber)
        }
        set {
            let hadText = self.sourceNumber == Name.notInterned
            self.sourceNumber = newValue.number
            if hadText || newValue.text != nil { self.change { $0.texts.source = newValue.text } }
        }
    }

    /// When it occurred, UTC.
    public var timestamp: Timestamp {
        get { Timestamp(nanoseconds: self.nanoseconds, precision: self.precision) }
        set {
            self.nanoseconds = newValue.nanoseconds
            self.precision = newValue.precision
        }
    }

    /// The payload's symbol, where there is one.
    public var symbol: Name? { self.payload.symbol }

    /// Whether an identifier or a name is among the details.
    @inline(__always)
    var hasTexts: Bool {
        self.typeNumber == EventType.notInterned || self.sourceNumber == Name.notInterned
            || !self.flags.isDisjoint(with: [.idIsText, .correlationIsText, .parentIsText])
    }

    /// Keeps the text of an identifier, or takes out the one it had.
    @inline(never)
    private mutating func keep(
        _ text: SharedText?, _ flag: Flags, at place: WritableKeyPath<Details.Texts, SharedText?>
    ) {
        if text == nil { self.flags.remove(flag) } else { self.flags.insert(flag) }
        self.change { $0.texts[keyPath: place] = text }
    }

    /// Changes the seldom used fields; without any of them there are no details.
    mutating func change(_ body: (inout Details.Content) -> Void) {
        var content = self.details?.content ?? Details.Content()
        body(&content)
        self.details = content.isEmpty ? nil : Details(content)
    }
}

extension StandardEvent: Equatable {
    public static func == (left: StandardEvent, right: StandardEvent) -> Bool {
        left.eventID == right.eventID && left.eventType == right.eventType && left.timestamp == right.timestamp
            && left.source == right.source && left.correlationID == right.correlationID
            && left.parentEventID == right.parentEventID && left.priority == right.priority
            && left.payload == right.payload && left.processedAt == right.processedAt
            && left.processingTimeMs == right.processingTimeMs && left.extra == right.extra
    }
}
