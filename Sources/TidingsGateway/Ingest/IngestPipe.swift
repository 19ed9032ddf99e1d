import Tidings

/// Between the task that reads the lines of a body and the one that publishes them, so that one works while the other
/// waits. Whatever has come is taken in one go: runs are short when lines trickle in and long when they pour.
///
/// One reader, one publisher. Holds at most ``capacity`` lines and ``byteCapacity`` bytes besides one piece of the body.
final class IngestPipe: Sendable {
    private typealias Waiter = UnsafeContinuation<Void, Never>

    private struct State: ~Copyable {
        var parsed: [ParsedEvent] = []
        var bytes = 0
        var hasEnded = false
        var isClosed = false
        var reader: Waiter?
        var publisher: Waiter?

        var isFull: Bool { self.parsed.count >= IngestPipe.capacity || self.bytes >= IngestPipe.byteCapacity }
    }

    static let capacity = 2048
    static let byteCapacity = 1 << 20

    private let state = Locked(State())

    /// Hands lines over, once there is room for them; false when nobody takes them any more.
    func offer(_ parsed: [ParsedEvent], bytes: Int) async -> Bool {
        while true {
            let (outcome, publisher) = self.state.withLock { state -> (Bool?, Waiter?) in
                if state.isClosed { return (false, nil) }
                if state.isFull { return (nil, nil) }
                state.parsed += parsed
                state.bytes += bytes
                defer { state.publisher = nil }
                return (true, state.publisher)
            }
            publisher?.resume()
            if let outcome { return outcome }
            await withUnsafeContinuation { (waiter: Waiter) in
                let mustWait = self.state.withLock { state in
                    guard state.isFull && !state.isClosed else { return false }
                    state.reader = waiter
                    return true
                }
                if !mustWait { waiter.resume() }
            }
        }
    }

    /// There are no more lines.
    func end() {
        let publisher = self.state.withLock { state in
            state.hasEnded = true
            defer { state.publisher = nil }
            return state.publisher
        }
        publisher?.resume()
    }

    /// All that waits; nil at the end.
    func take() async -> [ParsedEvent]? {
        while true {
            let (parsed, isOver, reader) = self.state.withLock { state -> ([ParsedEvent], Bool, Waiter?) in
                let parsed = state.parsed
                state.parsed = []
                state.bytes = 0
                defer { state.reader = nil }
                return (parsed, state.hasEnded, state.reader)
            }
            reader?.resume()
            if !parsed.isEmpty { return parsed }
            if isOver { return nil }
            await withUnsafeContinuation { (waiter: Waiter) in
                let mustWait = self.state.withLock { state in
                    guard state.parsed.isEmpty && !state.hasEnded else { return false }
                    state.publisher = waiter
                    return true
                }
                if !mustWait { waiter.resume() }
            }
        }
    }

    /// Nobody takes any more.
    func close() {
        let reader = self.state.withLock { state in
            state.isClosed = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}
