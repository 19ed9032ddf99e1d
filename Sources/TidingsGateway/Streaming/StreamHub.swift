import DequeModule
import NIOCore
import Tidings

/// The clients of one event loop, and the way of a committed batch to them. Lives on that event loop.
///
/// Everything that waits when it gets its turn is rendered once, joined per group, and written once per client.
final class StreamHub {
    struct Limits {
        var clientBufferBytes: Int
        var slowClientGrace: Int64
    }

    let eventLoop: any EventLoop
    let log: any EventLog
    let scope: WorkScope
    let limits: Limits
    let compressor = FrameCompressor()
    private let mailbox: StreamMailbox
    /// Everything up to here went to the live clients.
    private(set) var position: Int64 = 0
    private var isStarted = false
    private var isCatchingUp = false
    private(set) var isStopping = false
    /// Events sent to clients.
    private var sent: UInt64 = 0
    private var groups = StreamGroups()
    private var clients: [ObjectIdentifier: StreamClient] = [:]
    /// Clients that are live and not in a group yet.
    private var joining: [ObjectIdentifier: StreamClient] = [:]

    // The newest batches, kept while somebody catches up.
    private var replayCount = 0
    private var recent = Deque<CommittedBatch>()
    private var recentEvents = 0
    private var recentBytes = 0

    private static let turnEvents = 1024
    private static let turnBytes = 512 << 10
    private static let recentEventLimit = 4096
    private static let recentByteLimit = 2 << 20

    init(eventLoop: any EventLoop, log: any EventLog, scope: WorkScope, limits: Limits, mailbox: StreamMailbox) {
        self.eventLoop = eventLoop
        self.log = log
        self.scope = scope
        self.limits = limits
        self.mailbox = mailbox
    }

    // MARK: Clients

    func add(_ sink: any StreamSink, principal: Principal) -> StreamClient {
        let client = StreamClient(sink: sink, principal: principal, hub: self)
        self.clients[ObjectIdentifier(client)] = client
        return client
    }

    func remove(_ client: StreamClient) {
        self.clients[ObjectIdentifier(client)] = nil
        self.joining[ObjectIdentifier(client)] = nil
    }

    func joinBeforeNextTurn(_ client: StreamClient) {
        self.joining[ObjectIdentifier(client)] = client
    }

    private func joinGroups() {
        guard !self.joining.isEmpty else { return }
        let joining = self.joining
        self.joining = [:]
        for client in joining.values { client.joinGroup() }
    }

    func join(_ client: StreamClient, interest: StreamInterest) -> StreamGroup {
        self.groups.add(client, interest: interest)
    }

    func leave(_ group: StreamGroup, _ client: StreamClient) {
        self.groups.remove(client, from: group)
    }

    func count(dropped: UInt64) {
        self.mailbox.count(dropped: dropped)
    }

    func count(sent: Int) {
        self.sent &+= UInt64(sent)
        self.mailbox.note(sent: self.sent)
    }

    func countSlowClient() {
        self.mailbox.countSlowClient()
    }

    /// Ends every client's stream; none begins any more.
    func stop() {
        self.isStopping = true
        for client in Array(self.clients.values) { client.close(.stopping(offset: client.resumeOffset)) }
    }

    /// Ends the streams of those whose access has ended.
    func checkAccess(_ access: AccessControl, at now: Timestamp) {
        for client in Array(self.clients.values) where !access.holds(client.principal, at: now) {
            client.close(.accessEnded)
        }
    }

    // MARK: Live

    /// Begins above an offset.
    func start(at position: Int64) {
        self.position = position
        self.isStarted = true
        self.drain()
    }

    /// Sends what has come in; called when the mailbox asks for it.
    func drain() {
        guard self.isStarted, !self.isCatchingUp else { return }
        let (batches, missed, hasMore) = self.mailbox.take(Self.turnEvents)
        if missed {
            self.startCatchUp()
            return
        }
        let fresh = batches.compactMap { $0.above(self.position) }
        if let first = fresh.first, first.firstOffset != self.position + 1 {
            self.startCatchUp()
            return
        }
        self.process(fresh)
        if hasMore { self.wake() }
    }

    /// Comes back after the event loop has looked at its sockets.
    private func wake() {
        let hub = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.execute { hub.value.drain() }
    }

    /// Sends batches that follow the position, in turns of a bounded size.
    private func process(_ batches: [CommittedBatch]) {
        self.joinGroups()
        if self.groups.isEmpty {
            self.advance(over: batches[...])
            return
        }
        var rest = batches[...]
        while !rest.isEmpty {
            var bytes = 0
            let turn = rest.prefix { batch in
                defer { bytes += batch.byteCount }
                return bytes < Self.turnBytes
            }
            self.send(StreamTurn(Array(turn), self.compressor))
            self.advance(over: turn)
            rest = rest.dropFirst(turn.count)
        }
    }

    private func advance(over batches: ArraySlice<CommittedBatch>) {
        guard let last = batches.last else { return }
        self.position = last.lastOffset
        self.mailbox.note(position: self.position)
        if self.replayCount > 0 { self.remember(batches) }
    }

    private func send(_ turn: StreamTurn) {
        let sentBefore = self.sent
        for group in self.groups.distribute(turn) {
            let runs = group.runs
            group.endTurn()
            let frames = turn.frames(runs, group.format)
            // A client may leave while it is served.
            for client in group.members { client.deliver(turn, runs, frames) }
        }
        if self.sent > sentBefore, let since = turn.publishedAt {
            self.mailbox.note(latency: MonotonicClock.nanoseconds() - since, times: self.sent - sentBefore)
        }
    }

    // MARK: The seam between history and live

    func startedReplay() {
        self.replayCount += 1
    }

    func endedReplay() {
        self.replayCount -= 1
        guard self.replayCount == 0 else { return }
        self.recent.removeAll()
        self.recentEvents = 0
        self.recentBytes = 0
    }

    private func remember(_ batches: ArraySlice<CommittedBatch>) {
        for batch in batches {
            self.recent.append(batch)
            self.recentEvents += batch.count
            self.recentBytes += batch.byteCount
        }
        while self.recentEvents > Self.recentEventLimit || self.recentBytes > Self.recentByteLimit,
            let oldest = self.recent.popFirst()
        {
            self.recentEvents -= oldest.count
            self.recentBytes -= oldest.byteCount
        }
    }

    /// Everything above an offset up to the position, if the hub remembers all of it.
    func recentBatches(after cursor: Int64) -> [CommittedBatch]? {
        if cursor >= self.position { return [] }
        guard let first = self.recent.first, first.firstOffset <= cursor + 1 else { return nil }
        return self.recent.compactMap { $0.above(cursor) }
    }

    // MARK: Falling behind the log

    /// The mailbox overflowed: the log has what it could not hold.
    private func startCatchUp() {
        self.isCatchingUp = true
        let hub = NIOLoopBound(self, eventLoop: self.eventLoop)
        let (log, eventLoop) = (self.log, self.eventLoop)
        let isTaken = self.scope.submit {
            do {
                while !Task.isCancelled {
                    let after = try await eventLoop.submit { hub.value.position }.get()
                    let bounds = log.bounds
                    let start = max(after, bounds.oldest - 1)
                    let events = try await log.read(LogQuery(after: start, limit: 1024))
                    let isDone = try await eventLoop.submit {
                        hub.value.caughtUp(from: after, to: start, with: events)
                    }.get()
                    if isDone { return }
                }
            } catch {
                eventLoop.execute { hub.value.failAll() }
            }
        }
        if !isTaken { self.failAll() }
    }

    /// Sends what was read; returns whether the mailbox goes on where that ends.
    private func caughtUp(from after: Int64, to start: Int64, with events: [LoggedEvent]) -> Bool {
        if start > after { self.lose(through: start) }
        for batch in CommittedBatch.batches(of: events) {
            // An event that could not be read back leaves a hole in what is otherwise gapless.
            if batch.firstOffset > self.position + 1 { self.lose(through: batch.firstOffset - 1) }
            self.process([batch])
        }
        if let last = events.last, last.offset > self.position { self.lose(through: last.offset) }
        guard events.isEmpty || self.mailbox.continues(from: self.position) else { return false }
        self.isCatchingUp = false
        self.drain()
        return true
    }

    /// Goes on behind events that nobody can have any more.
    private func lose(through offset: Int64) {
        let count = offset - self.position
        self.position = offset
        for client in Array(self.clients.values) { client.lose(UInt64(max(count, 0))) }
    }

    private func failAll() {
        self.isCatchingUp = false
        for client in Array(self.clients.values) { client.close(.storeFailed) }
    }
}

extension CommittedBatch {
    /// The events above an offset; nil when there are none.
    func above(_ offset: Int64) -> CommittedBatch? {
        if self.firstOffset > offset { return self }
        guard self.lastOffset > offset else { return nil }
        var mask = self.selection.mask
        for _ in 0..<(offset - self.firstOffset + 1) { mask &= mask &- 1 }
        return CommittedBatch(EventSelection(self.selection.batch, mask: mask), firstOffset: offset + 1)
    }

    /// Events read back from a log, in batches of consecutive offsets. What cannot be decoded is left out.
    static func batches(of events: [LoggedEvent]) -> [CommittedBatch] {
        var batches: [CommittedBatch] = []
        var run: [StandardEvent] = []
        var first: Int64 = 0
        func flush() {
            if !run.isEmpty {
                batches.append(CommittedBatch(EventSelection(EventBatch(run)), firstOffset: first))
            }
            run.removeAll(keepingCapacity: true)
        }
        for logged in events {
            guard let event = try? logged.event() else { continue }
            if run.count == EventBatch.capacity || logged.offset != first + Int64(run.count) { flush() }
            if run.isEmpty { first = logged.offset }
            run.append(event)
        }
        flush()
        return batches
    }

    /// How many bytes the JSON of its events has.
    var byteCount: Int {
        self.selection.indices.reduce(0) { $0 + self.selection.batch.json.byteCount(at: $1) }
    }
}
