import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What every event goes through before the log and all subscribers: redaction, limits, and the processors attached here.
///
/// A bus calls it once per batch, on the publisher's thread. Market data of ours passes the first two untouched; an open
/// object gets one quick look. Safe to use from any thread.
public final class IngressChain: Sendable {
    /// `nil` when secrets are let through.
    public let redaction: Redaction?
    public let limits: IngressLimits

    /// A processor and what it has done.
    private struct Member {
        var processor: any IngressProcessor
        var statistics = ProcessorStatistics()

        var name: String { self.processor.name }
    }

    private struct State: ~Copyable {
        var processors: [Member]
    }

    private let state: Locked<State>
    private let processorCount: Atomic<Int>
    /// The thread that is inside a processor; 0 for none.
    private let thread = Atomic<UInt>(0)

    /// - Parameters:
    ///   - redaction: on unless told otherwise.
    ///   - processors: called in this order; what one returns goes to the next.
    public init(
        redaction: Redaction? = Redaction(), limits: IngressLimits = IngressLimits(),
        processors: [any IngressProcessor] = []
    ) {
        self.redaction = redaction
        self.limits = limits
        self.state = Locked(State(processors: processors.map { Member(processor: $0) }))
        self.processorCount = Atomic(processors.count)
    }

    /// Adds a processor behind those that are there.
    public func attach(_ processor: some IngressProcessor) {
        self.state.withLock { state in
            state.processors.append(Member(processor: processor))
            self.processorCount.store(state.processors.count, ordering: .releasing)
        }
    }

    /// Adds a processor behind those that are there; it must not suspend, see ``InlineProcessor``.
    @_disfavoredOverload
    public func attach(_ processor: some Processor) {
        self.attach(InlineProcessor(processor))
    }

    /// Takes out every processor of a name; returns whether there was one.
    @discardableResult
    public func detach(_ name: String) -> Bool {
        self.state.withLock { state in
            let count = state.processors.count
            state.processors.removeAll { $0.name == name }
            self.processorCount.store(state.processors.count, ordering: .releasing)
            return state.processors.count < count
        }
    }

    /// What each processor has done, in their order. Of one that refuses an event, that counts as failed.
    public var snapshots: [ProcessorSnapshot] {
        self.state.withLock { state in
            state.processors.map { ProcessorSnapshot(name: $0.name, statistics: $0.statistics) }
        }
    }

    /// Whether there is anything for ``transform(_:fresh:)`` to do.
    @inline(__always)
    public var hasProcessors: Bool { self.processorCount.load(ordering: .relaxed) > 0 }

    /// A message for logs, `error` events or dead letters without the secrets it may quote.
    public func redact(text: String) -> String {
        self.redaction?.redact(text: text) ?? text
    }

    // MARK: Before duplicates are told apart

    /// Redaction and limits; `nil` when nothing changes.
    ///
    /// - Parameter mask: which of the events to look at.
    package func screen(_ events: UnsafeBufferPointer<StandardEvent>, mask: UInt64 = .max) -> IngressVerdict? {
        guard let base = events.baseAddress else { return nil }
        var verdict: IngressVerdict?
        for index in 0..<min(events.count, UInt64.bitWidth) where mask & 1 << UInt64(index) != 0 {
            if base[index].payload.kind == .object || base[index].details != nil {
                self.screen(base + index, at: index, &verdict)
            }
        }
        return verdict
    }

    // By its place: handing the event on would copy it.
    @inline(never)
    private func screen(_ place: UnsafePointer<StandardEvent>, at index: Int, _ verdict: inout IngressVerdict?) {
        var look = Look()
        if place.pointee.payload.kind == .object {
            // The event itself is a container too.
            self.look(at: place.pointee.payload.object, within: 1, &look)
        }
        if let extra = place.pointee.details?.content.extra { self.look(at: extra, within: 0, &look) }
        guard look.isSuspicious || self.exceedsLimits(look) else { return }
        self.judge(place.pointee, look, at: index, &verdict)
    }

    private struct Look {
        var byteCount = 0
        var depth = 0
        var isSuspicious = false
    }

    @inline(__always)
    private func look(at object: JSONObject, within containers: Int, _ look: inout Look) {
        look.depth = max(look.depth, object.depth &+ containers)
        object.withUTF8 { bytes in
            look.byteCount &+= bytes.count
            guard let keys = self.redaction?.keys, look.byteCount <= self.limits.maximumByteCount else { return }
            look.isSuspicious = look.isSuspicious || JSONGlance.isSuspicious(bytes, keys: keys)
        }
    }

    @inline(__always)
    private func exceedsLimits(_ look: Look) -> Bool {
        look.byteCount > self.limits.maximumByteCount || look.depth > self.limits.maximumDepth
    }

    /// What a quick look did not settle.
    private func judge(
        _ event: borrowing StandardEvent, _ look: Look, at index: Int, _ verdict: inout IngressVerdict?
    ) {
        let (bytes, limit) = (look.byteCount, self.limits.maximumByteCount)
        if bytes > limit { return self.refuse(event, at: index, "has \(bytes) bytes, the limit is \(limit)", &verdict) }
        var depth = look.depth
        let redacted = look.isSuspicious ? self.redaction?.redact(event) : nil
        if let redacted {
            // What was deep may have gone with a secret.
            depth = redacted.payload.kind == .object ? redacted.payload.object.depth + 1 : 0
            depth = max(depth, redacted.details?.content.extra?.depth ?? 0)
        }
        if depth > self.limits.maximumDepth {
            return self.refuse(event, at: index, "is nested deeper than \(self.limits.maximumDepth)", &verdict)
        }
        if let redacted { self.change(&verdict) { $0.replace(at: index, by: redacted) } }
    }

    private func refuse(
        _ event: borrowing StandardEvent, at index: Int, _ problem: String, _ verdict: inout IngressVerdict?
    ) {
        let rejection = IngressRejection(of: event, at: index, code: "VALIDATION", field: "payload", problem: problem)
        self.change(&verdict) { $0.reject(rejection) }
    }

    private func change(_ verdict: inout IngressVerdict?, _ body: (inout IngressVerdict) -> Void) {
        var changed = verdict ?? IngressVerdict()
        body(&changed)
        verdict = changed
    }

    // MARK: After duplicates are told apart

    /// The processors; `nil` when nothing changes.
    ///
    /// - Parameter fresh: which events have passed so far and are no duplicates.
    package func transform(_ events: UnsafeBufferPointer<StandardEvent>, fresh: UInt64) -> IngressVerdict? {
        guard self.hasProcessors, fresh != 0 else { return nil }
        let indices = MaskIndices(mask: fresh).filter { $0 < events.count }
        if self.thread.load(ordering: .relaxed) == Self.currentThread {
            var verdict: IngressVerdict?
            for index in indices {
                let rejection = IngressRejection(
                    of: events[index], at: index, code: "HANDLER", field: nil,
                    problem: "a processor at ingress published while processing, which would wait for itself")
                self.change(&verdict) { $0.reject(rejection) }
            }
            return verdict
        }
        return self.state.withLock { state in
            self.thread.store(Self.currentThread, ordering: .relaxed)
            defer { self.thread.store(0, ordering: .relaxed) }
            var verdict: IngressVerdict?
            for index in indices {
                self.transform(events[index], at: index, &state.processors, &verdict)
            }
            return verdict
        }
    }

    private func transform(
        _ event: StandardEvent, at index: Int, _ processors: inout [Member],
        _ verdict: inout IngressVerdict?
    ) {
        var current = event
        var isChanged = false
        let start = MonotonicClock.nanoseconds()
        var begun = start
        for place in processors.indices {
            processors[place].statistics.processed &+= 1
            do {
                let mark = EventID.mark
                let result = try processors[place].processor.process(current)
                let ended = MonotonicClock.nanoseconds()
                processors[place].statistics.time.record(nanoseconds: ended - begun)
                begun = ended
                guard let next = result else {
                    processors[place].statistics.filtered &+= 1
                    let rejection = IngressRejection(filteredBy: processors[place].name, at: index)
                    return self.change(&verdict) { $0.reject(rejection) }
                }
                if next.isUnchanged(from: current) { continue }
                isChanged = true
                processors[place].statistics.emitted &+= 1
                current = next.succeeding(current, processor: processors[place].name, since: mark)
            } catch {
                processors[place].statistics.failed &+= 1
                let rejection = self.rejection(of: event, at: index, by: processors[place].name, error)
                return self.change(&verdict) { $0.reject(rejection) }
            }
        }
        guard isChanged else { return }
        current.markProcessed(after: .nanoseconds(MonotonicClock.nanoseconds() - start))
        self.change(&verdict) { $0.replace(at: index, by: current) }
    }

    private func rejection(
        of event: StandardEvent, at index: Int, by processor: String, _ error: any Error
    ) -> IngressRejection {
        if let invalid = error as? EventValidationError {
            return IngressRejection(
                of: event, at: index, code: "VALIDATION", field: invalid.field,
                problem: self.redact(text: invalid.problem), processor: processor)
        }
        return IngressRejection(
            of: event, at: index, code: "HANDLER", field: nil, problem: self.redact(text: "\(error)"),
            processor: processor)
    }

    private static var currentThread: UInt {
        #if canImport(Glibc)
        UInt(pthread_self())
        #else
        UInt(bitPattern: pthread_self())
        #endif
    }
}

extension StandardEvent {
    /// Whether a processor gave back what it was given; looks into a payload only when it is another one.
    fileprivate func isUnchanged(from other: StandardEvent) -> Bool {
        guard self.eventID == other.eventID, self.eventType == other.eventType, self.timestamp == other.timestamp,
            self.source == other.source, self.priority == other.priority, self.correlationID == other.correlationID,
            self.parentEventID == other.parentEventID
        else { return false }
        guard self.details === other.details || (self.extra == other.extra && self.processedAt == other.processedAt)
        else { return false }
        if self.payload.kind != .trade, self.payload.kind == other.payload.kind,
            self.payload.reference === other.payload.reference
        {
            return true
        }
        return self.payload == other.payload
    }

    /// This event in the place of one that nobody will see: of the same correlation and parent, unless it has its own, and
    /// by an identifier that a replay arrives at too.
    fileprivate func succeeding(_ other: StandardEvent, processor: String, since mark: UInt64) -> StandardEvent {
        guard self.eventID != other.eventID else { return self }
        var event = self
        let isOwnCorrelation = self.correlationID == self.eventID
        if self.eventID.wasMade(since: mark) {
            var hash = StableHash()
            hash.combine(other.eventID.description)
            hash.combine(processor)
            event.eventID = EventID(at: other.timestamp, hash: hash)
        }
        if isOwnCorrelation { event.correlationID = other.correlationID }
        if event.parentEventID == nil { event.parentEventID = other.parentEventID }
        return event
    }
}
