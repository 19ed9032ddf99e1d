import Synchronization

/// A ``Processor`` at ingress: called on the publisher's thread, where nothing can be awaited.
///
/// A processor that never suspends, such as one that only looks at the event, works like a synchronous one. One that does
/// suspend refuses the event: attach it with ``ProcessorService`` instead.
public struct InlineProcessor: IngressProcessor {
    private let processor: any Processor

    public init(_ processor: any Processor) {
        self.processor = processor
    }

    public var name: String { self.processor.name }

    public func process(_ event: StandardEvent) throws -> StandardEvent? {
        let outcome = Outcome()
        let processor = self.processor
        // Runs here and now up to the first suspension. A task that suspends all the same is cancelled and left to end by
        // itself: a synchronous caller cannot await it, and nobody takes its result any more.
        let task = Task.immediate {
            do {
                outcome.set(.success(try await processor.process(event)))
            } catch {
                outcome.set(.failure(error))
            }
        }
        guard let result = outcome.take() else {
            task.cancel()
            throw EventBusError(.refused, "\(self.name) suspended at ingress; attach it as a subscriber")
        }
        return try result.get()
    }

    private final class Outcome: Sendable {
        private struct State {
            var result: Result<StandardEvent?, any Error>?
            var isTaken = false
        }

        private let state = Locked(State())

        func set(_ result: Result<StandardEvent?, any Error>) {
            self.state.withLock { state in
                if !state.isTaken { state.result = result }
            }
        }

        func take() -> Result<StandardEvent?, any Error>? {
            self.state.withLock { state in
                state.isTaken = true
                return state.result
            }
        }
    }
}
