/// What a bus promises; the conformance suite holds it to that and to no more.
public struct BusDeclaration: Sendable {
    public enum Order: Sendable {
        /// Events of one publisher reach each subscriber in publish order, within a priority.
        case perPublisher
        /// The same, but only among events of one type and symbol.
        case perPublisherAndKey
    }

    public enum Delivery: Sendable {
        /// What is lost with a connection is lost. The suite breaks no connections, so it expects every event, once.
        case atMostOnce
        /// The same event may come more than once.
        case atLeastOnce
        case exactlyOnce
    }

    public var order: Order
    public var delivery: Delivery
    /// Whether the bus works again after ``EventBus/stop()``, with the taps and handlers it had; the suite then calls
    /// ``EventBusFactory/restart(_:)``.
    public var restarts: Bool
    /// Whether `publish` answers with the offset that each event has in a log.
    public var givesOffsets: Bool
    /// How long the suite waits for what has to come before it calls it lost.
    public var patience: Duration

    public init(
        order: Order = .perPublisher, delivery: Delivery = .exactlyOnce, restarts: Bool = true,
        givesOffsets: Bool = false, patience: Duration = .seconds(10)
    ) {
        self.order = order
        self.delivery = delivery
        self.restarts = restarts
        self.givesOffsets = givesOffsets
        self.patience = patience
    }
}
