import Logging
import NIOCore
import Tidings
import TidingsWebSocket

/// Drives a ``FeedMachine``: gives it frames, answers and time, publishes what it makes, does what it asks for.
///
/// All connections of a feed live on one event loop, and whatever comes in comes in there; so the order of events is the
/// order of what the venue said, whoever published, and two connections that overlap cannot publish at once. The lock is
/// for those who ask from other threads how the feed is doing. Nothing of others is called under it: not the bus, whose
/// taps may ask for the health, and not the connections, which may call back.
final class Feed: Sendable {
    /// What needs a task: the rest is done at once, on the event loop.
    enum Job: Sendable {
        case open(Int)
        case request(VenueRequest)
    }

    private struct State {
        var machine: FeedMachine
        var connections: [Int: WebSocketConnection] = [:]
        /// The bus is full: no connection reads.
        var isPaused = false
        /// Another attempt to publish is scheduled; there is one at a time.
        var isRetryDue = false
        /// Everything has ended.
        var isFinished = false
    }

    private enum Outcome: Equatable {
        case done
        /// The bus is full: nothing must be read until a later attempt says `done`.
        case stalled
        /// The bus has stopped.
        case stopped
    }

    private static let retryInterval = TimeAmount.milliseconds(5)
    /// How long what is left is offered to a full bus at the end.
    private static let lastPatience: Int64 = 1_000_000_000

    let eventLoop: any EventLoop
    /// What the connector's task has to do; ends with the feed. The machine bounds how much is on its way.
    let jobs: AsyncStream<Job>
    private let jobSink: AsyncStream<Job>.Continuation
    private let bus: any EventBus
    private let recorder: FrameRecorder?
    private let endpoint: WebSocketURL
    private let logger: Logger
    private let state: Locked<State>

    /// - Parameter jobLimit: more jobs are never on their way: requests as the machine bounds them, and connections.
    init(
        _ machine: FeedMachine, endpoint: WebSocketURL, bus: any EventBus, recorder: FrameRecorder?,
        eventLoop: any EventLoop, jobLimit: Int, logger: Logger
    ) {
        self.state = Locked(State(machine: machine))
        self.endpoint = endpoint
        self.bus = bus
        self.recorder = recorder
        self.eventLoop = eventLoop
        self.logger = logger
        (self.jobs, self.jobSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(jobLimit))
    }

    var health: ConnectorHealth { self.state.withLock { $0.machine.health } }

    /// Runs `body` on the event loop, does what follows from it and publishes.
    func perform(_ body: @escaping @Sendable (inout FeedMachine) -> Void) async {
        do {
            try await self.eventLoop.submit { self.performNow(body) }.get()
        } catch {
            // The event loop has been shut down, with the process.
        }
    }

    /// Tells of something that went wrong outside of the session. Never waits.
    func tell(_ problem: VenueOutput.Problem) {
        self.eventLoop.execute { self.performNow { $0.report(problem) } }
    }

    /// As ``perform(_:)``, on the event loop already.
    private func performNow(_ body: (inout FeedMachine) -> Void) {
        self.eventLoop.assertInEventLoop()
        self.state.withLock { body(&$0.machine) }
        self.carryOn()
    }

    /// Does what the machine asks for, and publishes.
    private func carryOn() {
        self.act()
        self.flush()
        // Giving up on a full bus may ask for something.
        self.act()
    }

    /// The book of an instrument as it stands, and whether it is to be relied on.
    func book(of symbol: String) -> (book: LocalBook, isLive: Bool)? {
        self.state.withLock { state in
            guard let number = state.machine.instrumentNumbers[Name(symbol)] else { return nil }
            return state.machine.session?.book(of: number)
        }
    }

    // MARK: Connections, on the event loop

    func opened(_ number: Int, _ connection: WebSocketConnection) {
        let now = FeedMoment.now()
        self.recorder?.record(
            .connect, UnsafeRawBufferPointer(start: nil, count: 0), url: "\(self.endpoint)", at: now.wall)
        let isPaused = self.state.withLock { state in
            state.connections[number] = connection
            state.machine.opened(number, at: now, chance: .random(in: 0..<1))
            return state.isPaused
        }
        if isPaused { connection.pauseReading() }
        self.carryOn()
    }

    /// One frame. What it says is published by ``readCompleted(at:)``.
    @inline(__always)
    func received(_ frame: UnsafeRawBufferPointer, on number: Int, at now: FeedMoment) {
        self.recorder?.record(.received, frame, url: nil, at: now.wall)
        self.state.withLock { $0.machine.received(frame, on: number, at: now) }
    }

    func readCompleted(at now: FeedMoment) {
        self.state.withLock { $0.machine.readCompleted(at: now) }
        self.carryOn()
    }

    func ended(_ number: Int, _ failure: ConnectionFailure) {
        self.logger.info("Connection ended", metadata: [LogKey.reason: "\(failure.reason)"])
        self.state.withLock { state in
            state.connections[number] = nil
            state.machine.ended(number, failure, at: .now(), chance: .random(in: 0..<1))
        }
        self.carryOn()
    }

    /// An attempt to connect has failed.
    func failed(_ number: Int, _ failure: ConnectionFailure) async {
        do {
            try await self.eventLoop.submit { self.ended(number, failure) }.get()
        } catch {
            // The event loop has been shut down, with the process.
        }
    }

    // MARK: Time, answers, the end

    /// Lets the machine know that time has passed.
    func tick() async {
        do {
            try await self.eventLoop.submit {
                self.state.withLock { state in
                    state.machine.tick(at: .now(), reads: state.connections.mapValues(\.readCount))
                }
                self.carryOn()
            }.get()
        } catch {
            // The event loop has been shut down, with the process.
        }
    }

    func answered(_ answer: VenueAnswer, to request: VenueRequest, url: String) async {
        let now = FeedMoment.now()
        if let recorder = self.recorder, case .body(let bytes) = answer {
            bytes.withUnsafeBytes { recorder.record(.response, $0, url: url, at: now.wall) }
        }
        await self.perform { $0.answered(answer, to: request, at: now) }
    }

    /// No more jobs: whoever does them is to come to an end. From any thread.
    func end() { self.jobSink.finish() }

    /// Tells of the end and offers the bus what is left, for a moment.
    func finish(reason: String?) async {
        self.end()
        await self.perform { machine in
            machine.stop()
            machine.note(.stopped, reason: reason)
        }
        let until = MonotonicClock.nanoseconds() + Self.lastPatience
        do {
            while try await self.eventLoop.submit({ self.flush() }).get() == .stalled,
                MonotonicClock.nanoseconds() < until
            {
                // The task may be cancelled already, and could not sleep.
                try await self.eventLoop.scheduleTask(in: Self.retryInterval) {}.futureResult.get()
            }
            try await self.eventLoop.submit { self.giveUp() }.get()
        } catch {
            // The event loop has been shut down, with the process.
        }
    }

    /// What the bus has not taken by now it will not get.
    private func giveUp() {
        let lost = self.state.withLock { state in
            state.isFinished = true
            let lost = state.machine.takePending().count
            state.machine.dropped += UInt64(lost)
            return lost
        }
        guard lost > 0 else { return }
        self.logger.info("Events were dropped because the bus is full", metadata: [LogKey.dropped: "\(lost)"])
    }

    // MARK: What follows, on the event loop

    private func act() {
        self.eventLoop.assertInEventLoop()
        while true {
            let (actions, connections) = self.state.withLock { state in
                let actions = state.machine.takeActions()
                return (actions, actions.isEmpty ? [:] : state.connections)
            }
            if actions.isEmpty { return }
            for action in actions {
                switch action {
                case .open(let number): self.enqueue(.open(number))
                case .request(let request): self.enqueue(.request(request))
                case .send(let text, let number):
                    if let connection = connections[number] { self.send(text, on: connection, number) }
                case .close(let number): connections[number]?.close(.normal)
                case .abort(let number): connections[number]?.abort()
                }
            }
        }
    }

    private func enqueue(_ job: Job) {
        guard case .dropped(let job) = self.jobSink.yield(job) else { return }
        self.state.withLock { state in
            switch job {
            case .open(let number):
                state.machine.ended(number, ConnectionFailure("too much to do"), at: .now(), chance: 0.5)
            case .request(let request): state.machine.returned(request)
            }
        }
    }

    private func send(_ text: String, on connection: WebSocketConnection, _ number: Int) {
        do throws(WebSocketError) {
            try connection.send(text: text)
        } catch {
            // Of a connection that is closed its end is told anyway.
            guard error.code == .tooManyPendingBytes else { return }
            self.state.withLock { $0.machine.drop(number, because: "the venue does not read what is sent") }
            return
        }
        if let recorder = self.recorder {
            var text = text
            text.withUTF8 {
                recorder.record(.sent, UnsafeRawBufferPointer($0), url: nil, at: .now())
            }
        }
    }

    /// Publishes what waits; while the bus is full no connection reads.
    @discardableResult
    private func flush() -> Outcome {
        self.eventLoop.assertInEventLoop()
        let outcome = self.publish()
        switch outcome {
        case .done: self.readOn()
        case .stalled: self.pause()
        case .stopped: self.jobSink.finish()
        }
        return outcome
    }

    private func publish() -> Outcome {
        let waiting = self.state.withLock { $0.machine.takePending() }
        if waiting.isEmpty { return .done }
        var published = 0
        for batch in EventBatch.batches(of: waiting) {
            do throws(EventBusError) {
                _ = try self.bus.tryPublish(batch)
                published += batch.count
            } catch {
                if error.code == .stopped { return .stopped }
                return self.keep(waiting[published...])
            }
        }
        self.state.withLock { $0.machine.stalledSince = nil }
        return .done
    }

    /// Keeps what the bus would not take.
    private func keep(_ rest: ArraySlice<StandardEvent>) -> Outcome {
        let (isKept, dropped) = self.state.withLock { state in
            (state.machine.keep(rest, at: .now()), state.machine.dropped)
        }
        if isKept { return .stalled }
        self.logger.info("Events were dropped because the bus is full", metadata: [LogKey.dropped: "\(dropped)"])
        return .done
    }

    private func pause() {
        let connections: [WebSocketConnection]? = self.state.withLock { state in
            guard !state.isPaused else { return nil }
            state.isPaused = true
            return Array(state.connections.values)
        }
        guard let connections else { return }
        for connection in connections { connection.pauseReading() }
        self.retryLater()
    }

    private func retryLater() {
        let isDue = self.state.withLock { state in
            defer { state.isRetryDue = true }
            return state.isRetryDue || state.isFinished
        }
        if isDue { return }
        self.eventLoop.scheduleTask(in: Self.retryInterval) {
            self.state.withLock { $0.isRetryDue = false }
            self.carryOn()
            if self.state.withLock({ $0.isPaused }) { self.retryLater() }
        }
    }

    private func readOn() {
        let connections: [WebSocketConnection]? = self.state.withLock { state in
            guard state.isPaused else { return nil }
            state.isPaused = false
            return Array(state.connections.values)
        }
        guard let connections else { return }
        for connection in connections {
            // What was kept comes at once, and may fill the bus again.
            guard !self.state.withLock({ $0.isPaused }) else { return }
            connection.resumeReading()
        }
    }
}
