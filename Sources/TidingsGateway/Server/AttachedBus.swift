import Tidings

/// A bus without a log, and a log in memory that follows it: together what a gateway serves.
///
/// The bus stays the judge of what is published, and its order is the log's; whoever publishes here waits until the log has
/// the event. When the log does not keep up, publishers wait, or are refused, as with any full subscription.
final class AttachedBus: EventBus {
    let log = MemoryEventLog()
    private let bus: any EventBus
    private let subscription: Subscription
    private let waiters: Waiters
    private let pump: Task<Void, Never>

    /// - Throws: when the bus has stopped.
    init(_ bus: any EventBus) throws(EventBusError) {
        self.bus = bus
        let batches = try bus.batches(matching: .all, options: SubscriptionOptions(name: "websocket server"))
        self.subscription = batches.subscription
        let (log, waiters) = (self.log, Waiters())
        self.waiters = waiters
        // Ends with the subscription: when this is let go, or the bus stops.
        self.pump = Task {
            for await batch in batches {
                do throws(EventLogError) {
                    _ = try await log.append([batch.events])
                    if waiters.isEmpty { continue }
                    let ids = batch.events.map(\.eventID)
                    waiters.found(try await log.offsets(of: ids))
                } catch {
                    waiters.fail(EventBusError(.store, error.message))
                }
            }
            waiters.fail(EventBusError(.stopped, "the bus has stopped"))
        }
    }

    deinit { self.subscription.cancel() }

    func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport {
        let ids = (0..<batch.count).map { batch[$0].eventID }
        let wait = self.waiters.begin(ids)
        defer { self.waiters.end(wait) }
        let report = try await self.bus.publish(batch)
        let accepted = zip(ids, report.results).compactMap { if case .accepted = $1 { $0 } else { nil } }
        let offsets = try await wait.offsets(of: accepted)
        let known = (try? await self.log.offsets(of: ids)) ?? [:]
        return PublishReport(
            zip(ids, report.results).map { id, result in
                switch result {
                case .accepted: .accepted(offset: offsets[id])
                case .duplicate: .duplicate(offset: known[id])
                case .refused: result
                }
            })
    }

    // MARK: The bus's own

    func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport { try self.bus.tryPublish(batch) }

    func addTap(
        to filter: EventFilter, name: String, _ tap: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.bus.addTap(to: filter, name: name, tap)
    }

    func addHandler(
        to filter: EventFilter, options: SubscriptionOptions,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.bus.addHandler(to: filter, options: options, handler)
    }

    func batches(matching filter: EventFilter, options: SubscriptionOptions) throws(EventBusError) -> EventBatches {
        try self.bus.batches(matching: filter, options: options)
    }

    func isListening(to type: EventType) -> Bool { self.bus.isListening(to: type) }
    var statistics: BusStatistics { self.bus.statistics }
    var snapshot: BusSnapshot { self.bus.snapshot }
    func stop() async { await self.bus.stop() }
}

extension AttachedBus {
    /// Those who wait until the log has what they published.
    private final class Waiters: Sendable {
        private struct State: ~Copyable {
            /// As many as there are publishers at a time.
            var waits: [ObjectIdentifier: Wait] = [:]
            var failure: EventBusError?
        }

        private let state = Locked(State())

        var isEmpty: Bool { self.state.withLock { $0.waits.isEmpty } }

        /// To be called before publishing, so that nothing is committed unseen.
        func begin(_ ids: [EventID]) -> Wait {
            let wait = Wait(ids)
            let failure = self.state.withLock { state -> EventBusError? in
                state.waits[ObjectIdentifier(wait)] = wait
                return state.failure
            }
            if let failure { wait.fail(failure) }
            return wait
        }

        func end(_ wait: Wait) {
            self.state.withLock { _ = $0.waits.removeValue(forKey: ObjectIdentifier(wait)) }
        }

        func found(_ offsets: [EventID: Int64]) {
            for wait in self.state.withLock({ Array($0.waits.values) }) { wait.found(offsets) }
        }

        func fail(_ error: EventBusError) {
            let waits = self.state.withLock { state in
                if error.code == .stopped { state.failure = error }
                return Array(state.waits.values)
            }
            for wait in waits { wait.fail(error) }
        }
    }

    /// What one publisher waits for.
    private final class Wait: Sendable {
        private struct State: ~Copyable {
            /// Where those of its events are that the log has.
            var offsets: [EventID: Int64] = [:]
            /// What it waits for; nil while it is not known what was accepted.
            var missing: Set<EventID>?
            var failure: EventBusError?
            var continuation: CheckedContinuation<Void, Never>?

            mutating func ready() -> CheckedContinuation<Void, Never>? {
                guard self.failure != nil || self.missing?.isEmpty == true else { return nil }
                defer { self.continuation = nil }
                return self.continuation
            }
        }

        private let ids: [EventID]
        private let state = Locked(State())

        init(_ ids: [EventID]) {
            self.ids = ids
        }

        func found(_ offsets: [EventID: Int64]) {
            let ready = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                for id in self.ids {
                    guard let offset = offsets[id] else { continue }
                    state.offsets[id] = offset
                    state.missing?.remove(id)
                }
                return state.ready()
            }
            ready?.resume()
        }

        func fail(_ error: EventBusError) {
            let ready = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.failure = error
                return state.ready()
            }
            ready?.resume()
        }

        /// Returns when all have been found; those that the log has are told of also when its task was cancelled.
        func offsets(of ids: [EventID]) async throws(EventBusError) -> [EventID: Int64] {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let ready = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                        state.continuation = continuation
                        state.missing = Set(ids).subtracting(state.offsets.keys)
                        return state.ready()
                    }
                    ready?.resume()
                }
            } onCancel: {
                self.fail(EventBusError(.full, "the log was not waited for"))
            }
            let (offsets, failure, isComplete) = self.state.withLock {
                ($0.offsets, $0.failure, $0.missing?.isEmpty == true)
            }
            if let failure, !isComplete { throw failure }
            return offsets
        }
    }
}
