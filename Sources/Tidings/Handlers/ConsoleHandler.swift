/// Prints the events of a bus as they come.
///
/// A slow terminal holds nobody up: when more waits than fits, the oldest lines are dropped and their number is printed.
public struct ConsoleHandler: Sendable {
    private let line: EventLine
    private let filter: EventFilter
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - line: how an event is printed.
    ///   - write: takes a piece of text that ends with a line break.
    public init(line: EventLine, filter: EventFilter = .all, write: @escaping @Sendable (String) -> Void) {
        self.line = line
        self.filter = filter
        self.write = write
    }

    /// Starts printing; what a bus publishes before that is not printed.
    public func attach(to bus: some EventBus) throws(EventBusError) -> EventBatches {
        try bus.batches(
            matching: self.filter,
            options: SubscriptionOptions(name: "console", capacity: 8192, overflow: .dropOldest))
    }

    /// Prints until the subscription ends.
    public func run(_ batches: EventBatches) async {
        for await element in batches {
            var text = ""
            if element.dropped > 0, case .text = self.line.format {
                text += "... \(element.dropped) events not shown\n"
            }
            for event in element.events {
                text += self.line.line(for: event)
                text += "\n"
            }
            self.write(text)
        }
    }
}
