import Tidings

/// What a check works with: the bus, what it declares, and ways to say what is expected of it.
struct ConformanceRun: Sendable {
    let bus: any EventBus
    let declaration: BusDeclaration
    let restart: @Sendable () async throws -> Void

    var patience: Duration { self.declaration.patience }

    // MARK: Expecting

    func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw ConformanceFailure(message()) }
    }

    func expectEqual<Value: Equatable>(_ found: Value, _ wanted: Value, _ what: @autoclosure () -> String) throws {
        if found != wanted { throw ConformanceFailure("\(what()): \(found) instead of \(wanted)") }
    }

    /// What came, without the repetitions that a bus of at-least-once delivery may make.
    func distinct(_ events: [StandardEvent]) -> [StandardEvent] {
        guard case .atLeastOnce = self.declaration.delivery else { return events }
        var seen: Set<EventID> = []
        return events.filter { seen.insert($0.eventID).inserted }
    }

    func numbers(_ recorder: Recorder<StandardEvent>) -> [Int] {
        self.distinct(recorder.values).map(\.number)
    }

    /// Waits until at least so many different events have come, and returns their numbers as they came.
    @discardableResult
    func numbers(_ recorder: Recorder<StandardEvent>, count: Int, _ what: String) async throws -> [Int] {
        var wanted = count
        while true {
            let events = self.distinct(try await recorder.wait(for: wanted, within: self.patience, what))
            if events.count >= count { return events.map(\.number) }
            wanted = recorder.values.count + 1
        }
    }

    /// The error that `body` throws.
    func error(_ what: String, _ body: () async throws -> Void) async throws -> EventBusError {
        do {
            try await body()
        } catch let error as EventBusError {
            return error
        }
        throw ConformanceFailure("\(what): no error was thrown")
    }

    // MARK: Doing

    /// Stops the bus; a failure when that hangs.
    func stop() async throws {
        try await self.bounded("stop()") { await self.bus.stop() }
    }

    /// Does something that a faulty bus may never end.
    func bounded(_ what: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let ended = Recorder<Result<Void, any Error>>()
        // Unstructured: a task group would wait for what hangs.
        let task = Task {
            do {
                try await body()
                ended.add(.success(()))
            } catch {
                ended.add(.failure(error))
            }
        }
        do {
            try await ended.wait(for: 1, within: self.patience, what)
        } catch {
            task.cancel()
            throw ConformanceFailure("\(what) did not return within \(self.patience)")
        }
        try ended.values.first?.get()
    }

    /// A handler that records what it is handed.
    func record(
        _ filter: EventFilter, _ options: SubscriptionOptions = SubscriptionOptions(name: "recorder")
    ) throws -> Recorder<StandardEvent> {
        let recorder = Recorder<StandardEvent>()
        try self.bus.addHandler(to: filter, options: options) { recorder.add($0) }
        return recorder
    }

    /// An event of the suite, which carries a number.
    func event(
        _ number: Int, _ type: EventType = "conformance.sample", key: String = "ONE",
        priority: EventPriority = .normal, source: Name = "conformance"
    ) -> StandardEvent {
        StandardEvent(
            eventType: type, source: source,
            payload: ["symbol": .string(key), "n": .number(ExactDecimal(number))], priority: priority)
    }

    func batch(_ numbers: Range<Int>, _ type: EventType = "conformance.sample") -> EventBatch {
        EventBatch(numbers.map { self.event($0, type) })
    }
}

extension StandardEvent {
    /// The number that the suite gave it; -1 for events that are not the suite's.
    var number: Int { self.payload["n"]?.int ?? -1 }
}
