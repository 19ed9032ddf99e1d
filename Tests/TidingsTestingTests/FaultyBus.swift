import TidingsTestSupport
import TidingsTesting

@testable import Tidings

/// One thing that a bus can get wrong.
enum Fault: String, CaseIterable, Sendable {
    case losesSome, reordersPairs, reordersOneType, delaysOne, ignoresPriorities, interleavesBatches
    case deliversOncePerPattern, ignoresFilters, deliversTwice, acceptsDuplicates, losesOnePublisherInFive
    case neverFull, dropsTheNewestForTheOldest, dropsTheOldestForTheNewest, ignoresConflation
    case waitsForEverybody, refusesInsteadOfWaiting
    case tapsAreLate, forgetsFailures, tapErrorsReachPublishers, givesUpAfterAFailure
    case neverRetries, ignoresDeadlines, ignoresConcurrency, ignoresKeys, runsSerialInParallel, keepsFailuresToItself
    case forgetsTheCause, inventsParents
    case letsSecretsThrough
    case refusesWithNobodyListening
    case acceptsAfterStop, stopsWithoutDraining, stopsForGood, leavesWaitersWaiting
    case reportsAllAccepted, countsNothing, hasNoOffsets
}

/// A memory bus with a fault.
final class FaultyBus: EventBus {
    let fault: Fault
    let inner: MemoryEventBus
    private let count = Locked(0)
    private let held = Locked<EventBatch?>(nil)
    private let hasStopped = Locked(false)
    /// Calls of taps that are made when something else is published.
    private let late = Locked<[@Sendable () -> Void]>([])
    private let isStopping = Gate()

    init(_ fault: Fault, _ inner: MemoryEventBus) {
        self.fault = fault
        self.inner = inner
    }

    private func isNth(_ nth: Int) -> Bool {
        self.count.withLock { count in
            count += 1
            return count % nth == 0
        }
    }

    // MARK: Publishing

    /// What reaches the bus behind in place of a batch; `nil` when nothing does.
    private func distorted(_ batch: EventBatch) -> EventBatch {
        var events = Array(EventSelection(batch))
        switch self.fault {
        case .interleavesBatches where events.count > 1: events.swapAt(0, 1)
        case .ignoresPriorities: for index in events.indices { events[index].priority = .normal }
        case .acceptsDuplicates: for index in events.indices { events[index].eventID = EventID() }
        case .inventsParents: for index in events.indices { events[index].parentEventID = EventID() }
        default: return batch
        }
        return EventBatch(events)
    }

    /// Holds a batch back until a later one has gone out.
    private func reordered(_ batch: EventBatch) -> [EventBatch] {
        switch self.fault {
        case .reordersPairs: break
        case .reordersOneType where batch[0].eventType.rawValue.hasSuffix(".b"): break
        case .delaysOne where self.isNth(20): break
        default: return [self.distorted(batch)]
        }
        return self.held.withLock { held in
            if let earlier = held {
                held = nil
                return [batch, earlier]
            }
            held = batch
            return []
        }
    }

    private func accepted(_ batch: EventBatch) -> PublishReport {
        PublishReport(count: batch.count, accepted: batch.fullMask)
    }

    private func catchUp() {
        let calls = self.late.withLock { late in
            defer { late = [] }
            return late
        }
        for call in calls { call() }
    }

    private func checkListeners(_ batch: EventBatch) throws(EventBusError) {
        self.catchUp()
        if self.fault == .refusesWithNobodyListening, !self.inner.isListening(to: batch[0].eventType) {
            throw EventBusError(.refused, "nobody listens")
        }
        if self.fault == .waitsForEverybody, self.inner.subscriptions.contains(where: { $0.statistics.pending > 0 }) {
            throw EventBusError(.full, "somebody has not caught up")
        }
    }

    func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport {
        try self.checkListeners(batch)
        if self.fault == .acceptsAfterStop, self.hasStopped.withLock({ $0 }) { return self.accepted(batch) }
        var report = self.accepted(batch)
        for part in self.reordered(batch) { report = try self.inner.tryPublish(part) }
        return self.judged(report, batch)
    }

    func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport {
        try self.checkListeners(batch)
        if self.fault == .acceptsAfterStop, self.hasStopped.withLock({ $0 }) { return self.accepted(batch) }
        if self.fault == .refusesInsteadOfWaiting { return try self.tryPublish(batch) }
        var report = self.accepted(batch)
        for part in self.reordered(batch) { report = try await self.inner.publish(part) }
        return self.judged(report, batch)
    }

    private func judged(_ report: PublishReport, _ batch: EventBatch) -> PublishReport {
        switch self.fault {
        case .reportsAllAccepted, .hasNoOffsets: self.accepted(batch)
        default: report.count == batch.count ? report : self.accepted(batch)
        }
    }

    // MARK: Subscribing

    func addTap(
        to filter: EventFilter, name: String, _ tap: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription {
        switch self.fault {
        case .tapsAreLate:
            return try self.inner.addTap(to: filter, name: name) { event in
                self.late.withLock { $0.append { try? tap(event) } }
            }
        case .forgetsFailures:
            return try self.inner.addTap(to: filter, name: name) { try? tap($0) }
        case .tapErrorsReachPublishers:
            let hasFailed = Locked(false)
            return try self.inner.addTap(to: filter, name: name) { event in
                // The others are not called once one has failed.
                guard !hasFailed.withLock({ $0 }) else { return }
                do {
                    try tap(event)
                } catch {
                    hasFailed.withLock { $0 = true }
                    for other in self.inner.subscriptions where other.name == "sound" { other.cancel() }
                }
            }
        case .ignoresFilters:
            return try self.inner.addTap(to: .all, name: name, tap)
        default:
            return try self.inner.addTap(to: filter, name: name, tap)
        }
    }

    func addHandler(
        to filter: EventFilter, options: SubscriptionOptions,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        let options = self.distorted(options)
        switch self.fault {
        case .ignoresFilters:
            return try self.inner.addHandler(to: .all, options: options, handler)
        case .deliversOncePerPattern:
            var last: Subscription?
            for pattern in filter.types.isEmpty ? ["*"] : filter.types {
                last = try self.inner.addHandler(to: EventFilter(types: [pattern]), options: options, handler)
            }
            guard let last else { throw EventBusError(.refused, "no pattern") }
            return last
        default:
            return try self.inner.addHandler(to: filter, options: options, self.distorted(handler))
        }
    }

    private func distorted(_ options: SubscriptionOptions) -> SubscriptionOptions {
        var options = options
        switch (self.fault, options.overflow, options.concurrency) {
        case (.neverFull, .wait, _): options.capacity = 1_000_000
        case (.dropsTheNewestForTheOldest, .dropOldest, _): options.overflow = .dropNewest
        case (.dropsTheOldestForTheNewest, .dropNewest, _): options.overflow = .dropOldest
        case (.ignoresConflation, .conflate, _): options.overflow = .dropOldest
        case (.neverRetries, _, _): options.retry = .none
        case (.ignoresDeadlines, _, _): options.deadline = nil
        case (.ignoresConcurrency, _, _): options.concurrency = .serial
        case (.ignoresKeys, _, .keyed(let count, _)): options.concurrency = .parallel(count)
        case (.runsSerialInParallel, _, .serial): options.concurrency = .parallel(4)
        default: break
        }
        return options
    }

    private func distorted(
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) -> @Sendable (StandardEvent) async throws -> Void {
        switch self.fault {
        case .losesSome: return { event in if !self.isNth(17) { try await handler(event) } }
        case .losesOnePublisherInFive:
            return { event in if (event.payload["n"]?.int ?? 0) / 1000 != 4 { try await handler(event) } }
        case .deliversTwice:
            return { event in
                try await handler(event)
                if self.isNth(5) { try await handler(event) }
            }
        case .stopsWithoutDraining:
            return { event in
                await self.isStopping.wait()
                try await handler(event)
            }
        case .forgetsTheCause: return { event in try await Task.detached { try await handler(event) }.value }
        case .keepsFailuresToItself: return { event in try? await handler(event) }
        case .givesUpAfterAFailure:
            let hasFailed = Locked(false)
            return { event in
                guard !hasFailed.withLock({ $0 }) else { return }
                do {
                    try await handler(event)
                } catch {
                    hasFailed.withLock { $0 = true }
                    throw error
                }
            }
        default: return handler
        }
    }

    func batches(matching filter: EventFilter, options: SubscriptionOptions) throws(EventBusError) -> EventBatches {
        try self.inner.batches(matching: filter, options: self.distorted(options))
    }

    // MARK: The rest

    func isListening(to type: EventType) -> Bool { self.inner.isListening(to: type) }

    var statistics: BusStatistics {
        self.fault == .countsNothing ? BusStatistics() : self.inner.statistics
    }

    func stop() async {
        self.hasStopped.withLock { $0 = true }
        if self.fault == .stopsWithoutDraining {
            for subscription in self.inner.subscriptions { subscription.cancel() }
            self.isStopping.open()
        }
        self.catchUp()
        if self.fault == .leavesWaitersWaiting { return }
        await self.inner.stop()
    }
}

/// Buses with a fault, for the conformance suite to find.
struct FaultyBuses: EventBusFactory {
    let fault: Fault
    var declaration: BusDeclaration {
        BusDeclaration(givesOffsets: self.fault == .hasNoOffsets, patience: .milliseconds(500))
    }

    func withBus<Result>(_ body: (FaultyBus) async throws -> Result) async throws -> Result {
        var buses = MemoryBuses(hasLog: self.fault == .hasNoOffsets)
        if self.fault == .letsSecretsThrough { buses.ingress = { IngressChain(redaction: nil) } }
        return try await buses.withBus { bus in try await body(FaultyBus(self.fault, bus)) }
    }

    func restart(_ bus: FaultyBus) {
        if self.fault != .stopsForGood { bus.inner.start() }
    }
}
