public import Tidings

/// A bus that remembers what is published on it, for tests of producers.
///
/// Everything is handed on to a bus behind it, so subscribers work as ever.
/// ```swift
/// let bus = RecordingBus()
/// let emitter = EventEmitter(source: "books", bus: bus)
/// try await scrape(page, emitter)
/// #expect(bus.events.map(\.eventType) == [.extractionStart, .extractionComplete])
/// ```
/// Safe to use from any thread.
public final class RecordingBus: EventBus {
    /// A published event and what became of it.
    public struct Publication: Sendable {
        /// As it was published: before ingress, without what it inherits from the event being handled.
        public let event: StandardEvent
        public let result: PublishResult
    }

    private struct State {
        var error: EventBusError?
    }

    public let forward: any EventBus
    private let recorder = Recorder<Publication>()
    private let state = Locked(State())

    /// - Parameter bus: where events go after they have been noted down; a memory bus of its own unless given.
    public init(forwardingTo bus: any EventBus = MemoryEventBus()) {
        self.forward = bus
    }

    // MARK: What was published

    /// Everything published so far, refused or not, in order.
    public var publications: [Publication] { self.recorder.values }

    /// The events that were accepted so far, in order.
    public var events: [StandardEvent] {
        self.publications.compactMap { if case .accepted = $0.result { $0.event } else { nil } }
    }

    /// The accepted events of a type, or of the types that a pattern matches.
    public func events(matching pattern: EventTypePattern) -> [StandardEvent] {
        self.events.filter { pattern.matches($0.eventType) }
    }

    /// What was published, once that is at least `count` events; throws a ``ConformanceFailure`` when it takes longer than
    /// `patience`.
    @discardableResult
    public func waitForPublications(
        _ count: Int, within patience: Duration = .seconds(10)
    ) async throws -> [Publication] {
        try await self.recorder.wait(for: count, within: patience, "published events")
    }

    /// Makes the bus refuse whatever is published from now on, as a full or a stopped one does; `nil` ends that.
    public func refuse(with error: EventBusError?) {
        self.state.withLock { $0.error = error }
    }

    private func record(_ batch: EventBatch, _ report: PublishReport) {
        for (event, result) in zip(EventSelection(batch), report.results) {
            self.recorder.add(Publication(event: event, result: result))
        }
    }

    private func record(_ batch: EventBatch, _ error: EventBusError) {
        for event in EventSelection(batch) {
            self.recorder.add(Publication(event: event, result: .refused(error)))
        }
    }

    // MARK: The bus

    @discardableResult
    public func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport {
        do throws(EventBusError) {
            if let error = self.state.withLock({ $0.error }) { throw error }
            let report = try self.forward.tryPublish(batch)
            self.record(batch, report)
            return report
        } catch {
            self.record(batch, error)
            throw error
        }
    }

    @discardableResult
    public func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport {
        do throws(EventBusError) {
            if let error = self.state.withLock({ $0.error }) { throw error }
            let report = try await self.forward.publish(batch)
            self.record(batch, report)
            return report
        } catch {
            self.record(batch, error)
            throw error
        }
    }

    @discardableResult
    public func addTap(
        to filter: EventFilter, name: String, _ tap: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.forward.addTap(to: filter, name: name, tap)
    }

    @discardableResult
    public func addHandler(
        to filter: EventFilter, options: SubscriptionOptions,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.forward.addHandler(to: filter, options: options, handler)
    }

    public func batches(
        matching filter: EventFilter, options: SubscriptionOptions
    ) throws(EventBusError) -> EventBatches {
        try self.forward.batches(matching: filter, options: options)
    }

    /// Always true, so that emitters emit although nobody else listens.
    public func isListening(to type: EventType) -> Bool { true }

    public var statistics: BusStatistics { self.forward.statistics }

    public func stop() async {
        await self.forward.stop()
    }
}
