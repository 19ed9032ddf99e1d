/// Publishes a `heartbeat` event at a steady interval, so that silence can be told from absence.
public struct Heartbeat: Sendable {
    private let bus: any EventBus
    private let interval: Duration
    private let source: Name
    private let components: @Sendable () -> [(name: String, state: String)]

    /// - Parameter components: the parts of the process and their states, asked at each beat.
    public init(
        bus: any EventBus, interval: Duration = .seconds(10), source: Name = "tidings",
        components: @escaping @Sendable () -> [(name: String, state: String)] = { [] }
    ) {
        self.bus = bus
        self.interval = interval
        self.source = source
        self.components = components
    }

    /// Beats until the task is cancelled; a beat that the bus refuses is left out.
    public func run() async {
        let start = ContinuousClock.now
        while !Task.isCancelled {
            _ = try? self.bus.tryPublish(self.event(uptime: ContinuousClock.now - start))
            do {
                try await Task.sleep(for: self.interval)
            } catch {
                return
            }
        }
    }

    func event(uptime: Duration) -> StandardEvent {
        let statistics = self.bus.statistics
        let components = JSONObject(self.components().map { ($0.name, .string($0.state)) })
        return StandardEvent(
            eventType: .heartbeat, source: self.source,
            payload: [
                "uptime_seconds": .number(ExactDecimal(Int(uptime.components.seconds))),
                "published": .number(ExactDecimal(Int(clamping: statistics.published))),
                "delivered": .number(ExactDecimal(Int(clamping: statistics.delivered))),
                "dropped": .number(ExactDecimal(Int(clamping: statistics.dropped))),
                "components": .object(components),
            ])
    }
}
