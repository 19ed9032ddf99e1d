import Testing
import TidingsTestSupport

@testable import Tidings

/// The snippets of the two documents that Tidings is built after, in Swift.
@Suite(.timeLimit(.minutes(1))) struct DocumentSnippetsTests {
    // MARK: EVENTS MODULE: EventEmitter

    @Test func `a handler is attached by name and called with the data`() async throws {
        let data: Payload = ["item": "9780262033848", "fields_found": ["title", "price"]]
        let seen = Collector<StandardEvent>()
        let handler: @Sendable (StandardEvent) throws -> Void = { seen.add($0) }

        let emitter = EventEmitter()
        try emitter.on("extraction.complete", handler)
        emitter.emit("extraction.complete", data)

        #expect(seen.values.map(\.payload) == [data])
        #expect(seen.values.first?.eventType == .extractionComplete)
        await emitter.bus.stop()
    }

    @Test func `handlers can be async`() async throws {
        let seen = Collector<String>()
        let emitter = EventEmitter()
        try emitter.on("login.*") { event in
            await Task.yield()
            seen.add(event.eventType.rawValue)
        }
        emitter.emit("login.start")
        emitter.emit("login.success")
        #expect(await seen.wait(for: 2) == ["login.start", "login.success"])
        await emitter.bus.stop()
    }

    // MARK: EVENTS MODULE: usage in actions

    /// What an action of a workflow works with. There is always an emitter, so nothing has to be checked.
    struct ActionContext: Sendable {
        let eventEmitter: EventEmitter
    }

    protocol BaseAction {
        var context: ActionContext { get }
        func execute(_ parameters: JSONObject) async throws
    }

    struct MyAction: BaseAction {
        let context: ActionContext

        func execute(_ parameters: JSONObject) async throws {
            // Emit custom event
            self.context.eventEmitter.emit(
                "my_action.start",
                [
                    "action": "my_action",
                    "params": .object(parameters),
                ])

            // Do work...
            let result = parameters["value"]?.int.map { $0 * 2 } ?? 0

            // Emit completion
            self.context.eventEmitter.emit("my_action.complete", ["result": .number(ExactDecimal(result))])
        }
    }

    @Test func `a custom action emits its own events`() async throws {
        let emitter = EventEmitter(source: "my_workflow")
        let seen = Collector<StandardEvent>()
        try emitter.on("my_action.*") { (event: StandardEvent) throws -> Void in seen.add(event) }

        try await MyAction(context: ActionContext(eventEmitter: emitter)).execute(["value": 21, "password": "hunter2"])

        #expect(seen.values.map(\.eventType) == ["my_action.start", "my_action.complete"])
        #expect(seen.values.map(\.source) == ["my_workflow", "my_workflow"])
        #expect(seen.values.last?.payload["result"] == 42)
        // No sensitive data in events.
        #expect(seen.values.first?.payload["params"]?.object?["password"] == "[redacted]")
        await emitter.bus.stop()
    }

    @Test func `a custom action runs with nobody listening`() async throws {
        let emitter = EventEmitter()
        try await MyAction(context: ActionContext(eventEmitter: emitter)).execute(["value": 1])
        #expect(emitter.refused == 0)
        await emitter.bus.stop()
    }

    // MARK: Event System: event structure

    @Test func `an event is created as the framework does it`() {
        let event = StandardEvent.create(
            eventType: .trade,
            source: "hyperliquid",
            payload: [
                "symbol": "BTC-USD",
                "price": 50000.00,
                "volume": 1.5,
                "timestamp": "2024-01-15T10:30:00Z",
            ],
            priority: 5)
        #expect(event.eventType.rawValue == "trade")
        #expect(event.payload.symbol == "BTC-USD")
        #expect(event.correlationID == event.eventID && event.parentEventID == nil)
    }

    @Test func `an event can be marked as processed`() {
        var event = StandardEvent.sample(1, type: .trade)
        event.markProcessed(after: .milliseconds(12))
        #expect(event.processedAt != nil)
        #expect(event.processingTimeMs == 12)
    }

    // MARK: Event System: memory event bus

    @Test func `subscribe to a type and publish on the memory bus`() async throws {
        let event = StandardEvent.sample(1, type: .trade)
        let printed = Collector<String>()

        let bus = MemoryEventBus()

        // Subscribe to events
        @Sendable func handler(_ event: StandardEvent) async {
            printed.add("Received: \(event.eventType)")
        }
        try bus.subscribe(to: .trade, handler)

        // Publish events
        try await bus.publish(event)

        #expect(await printed.wait(for: 1) == ["Received: trade"])
        await bus.stop()
    }

    @Test func `any other bus works the same`() async throws {
        let seen = Collector<Int>()
        let bus: any EventBus = MemoryEventBus()
        try bus.subscribe(to: .trade) { seen.add($0.number) }
        try await bus.publish(.sample(1, type: .trade))
        #expect(await seen.wait(for: 1) == [1])
        await bus.stop()
    }

    // MARK: Event System: event processing

    struct MyProcessor: Processor {
        func process(_ event: StandardEvent) async throws -> StandardEvent? {
            if event.eventType == .trade {
                // Process trade event
                return event
            }
            return nil  // Filter out other types
        }
    }

    @Test func `a processor is started on a bus and can never loop`() async throws {
        let bus = MemoryEventBus()

        let processor = ProcessorService(MyProcessor(), bus: bus)
        try await processor.start()

        try await bus.publishAndWait(EventBatch([.sample(1, type: .trade), .sample(2, type: .ticker)]))
        #expect(processor.statistics?.delivered == 2)
        // The event it was given is passed along, not published again.
        #expect(bus.statistics.published == 2)
        await processor.stop()
        await bus.stop()
    }

    @Test func `the same processor filters at ingress`() async throws {
        let ingress = IngressChain()
        ingress.attach(MyProcessor())
        let bus = MemoryEventBus(ingress: ingress)
        let seen = Collector<EventType>()
        try bus.subscribe(to: "*") { seen.add($0.eventType) }

        #expect(try await bus.publish(.sample(1, type: .trade)) == .accepted(offset: nil))
        guard case .refused(let reason) = try await bus.publish(.sample(2, type: .ticker)) else {
            Issue.record("a ticker is filtered out")
            return
        }
        #expect(reason.code == .filtered)
        await bus.stop()
        #expect(seen.values == [.trade])
    }

    // MARK: Event System: best practices

    @Test func `critical events overtake, and a processor's output knows where it comes from`() async throws {
        struct Alerting: Processor {
            func process(_ event: StandardEvent) async throws -> StandardEvent? {
                guard event.eventType == .trade else { return nil }
                return StandardEvent(
                    eventType: .priceAlert, source: "alerting", payload: ["symbol": "BTC-USD"], priority: .high)
            }
        }
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.subscribe(to: .priceAlert) { seen.add($0) }
        let processor = ProcessorService(Alerting(), bus: bus)
        try await processor.start()
        let trade = StandardEvent.sample(1, type: .trade)
        try await bus.publish(trade)
        let alert = try #require(await seen.wait(for: 1).first)
        #expect(alert.parentEventID == trade.eventID && alert.correlationID == trade.correlationID)
        #expect(alert.processedAt != nil && alert.processingTimeMs != nil)
        await processor.stop()
        await bus.stop()
    }
}
