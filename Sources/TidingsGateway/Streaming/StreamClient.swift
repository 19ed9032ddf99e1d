import DequeModule
import NIOCore
import Tidings

/// One client of a stream: what it wants, how far it has come, and what waits for it. Lives on one event loop.
///
/// Its one cursor stands in history, which ``HistoryReplay`` reads for it, or is the hub's, and then it gets each turn
/// with everybody else. A client whose socket is full costs a bounded number of bytes, never time.
final class StreamClient {
    enum Phase {
        /// Wants nothing yet.
        case idle
        /// Gets what is committed, as it comes.
        case live
        /// Gets what was committed before.
        case replaying
        case closed
    }

    let sink: any StreamSink
    /// Whose stream it is.
    let principal: Principal
    /// Each knows the other until the client has ended.
    private let hub: StreamHub
    private(set) var phase = Phase.idle
    /// The offset up to which everything is dealt with, while not live.
    private var cursor: Int64 = 0
    private var lastSent: Int64 = 0
    private var subscriptions = SubscriptionTable()
    private var filter: EventFilter?
    /// Changes whenever what is wanted does.
    private var version = 0
    private var matcher: InterestMatcher?
    private var group: StreamGroup?
    /// Where it stands among the members of its group.
    var placeInGroup = 0
    private var replay: HistoryReplay?

    // What waits.
    private var held = Deque<ByteBuffer>()
    /// The last offset sent before what is held.
    private var sentBeforeHeld: Int64 = 0
    private var heldBytes = 0
    private var heldEvents = 0
    private var conflated = ConflationQueue()
    private var dropped: UInt64 = 0
    private var isDropping = false
    private var stuckTimer: Scheduled<Void>?
    private var rateTimer: Scheduled<Void>?
    private var writableWaiters: [EventLoopPromise<Void>] = []

    /// Keep only the newest per source, symbol and type when the socket is full.
    var conflates = false
    private var bucket: TokenBucket?

    init(sink: any StreamSink, principal: Principal, hub: StreamHub) {
        self.sink = sink
        self.principal = principal
        self.hub = hub
    }

    // MARK: What it wants

    var pairCount: Int { self.subscriptions.count }

    /// The offset above which the next live subscription starts.
    var liveStart: Int64 { self.hub.position }

    /// Adds pairs; with `after` from history, else from now on.
    func subscribe(_ pairs: [SubscriptionPair], after: Int64?) {
        guard self.phase != .closed else { return }
        let position = self.hub.position
        let start = min(after ?? position, position)
        if self.phase != .replaying { self.cursor = position }
        if self.phase == .idle { self.lastSent = start }
        if start < self.cursor && self.phase != .idle { self.subscriptions.willRewind(from: self.cursor) }
        self.subscriptions.add(pairs, after: start)
        self.cursor = min(self.cursor, start)
        self.interestChanged()
    }

    /// Takes pairs out; returns how many (symbol, type) went.
    func unsubscribe(symbols: [String], types: [EventTypePattern]?) -> Int {
        let removed = self.subscriptions.remove(symbols: symbols, types: types)
        if removed > 0 && self.phase != .closed {
            if self.phase == .live { self.cursor = self.hub.position }
            self.interestChanged()
        }
        return removed
    }

    /// Streams what matches a filter, above an offset.
    func stream(_ filter: EventFilter, after: Int64?) {
        guard self.phase == .idle else { return }
        self.filter = filter
        self.cursor = min(after ?? self.hub.position, self.hub.position)
        self.lastSent = self.cursor
        self.interestChanged()
    }

    /// At most so many events per second; nil for all.
    func limitRate(_ rate: Double?) {
        self.bucket = rate.map { TokenBucket(rate: $0, now: MonotonicClock.nanoseconds()) }
    }

    private func interestChanged() {
        self.version += 1
        if let group = self.group {
            self.hub.leave(group, self)
            self.group = nil
        }
        if self.filter == nil && self.subscriptions.isEmpty {
            self.matcher = nil
            self.setPhase(.idle)
        } else if self.cursor >= self.hub.position {
            self.goLive()
        } else {
            self.matcher = InterestMatcher(self.interest)
            self.setPhase(.replaying)
            if self.replay == nil { self.startReplay() }
        }
    }

    /// Whoever may see less shares nothing with those who want the same and may see more.
    private var interest: StreamInterest {
        let wanted = self.filter.map { .filter($0) } ?? StreamInterest.pairs(self.subscriptions.pairs)
        return self.principal.rights.isUnrestricted ? wanted : .within(self.principal.rights, wanted)
    }

    private func setPhase(_ phase: Phase) {
        if self.phase == .replaying && phase != .replaying { self.hub.endedReplay() }
        if self.phase != .replaying && phase == .replaying { self.hub.startedReplay() }
        self.phase = phase
    }

    private func goLive() {
        self.subscriptions.didCatchUp()
        self.cursor = self.hub.position
        self.matcher = nil
        self.setPhase(.live)
        self.hub.joinBeforeNextTurn(self)
    }

    /// Takes its place among those that want the same. The hub calls it before the next turn, so that many subscriptions
    /// in a row, each of which changes what is wanted, find that place once.
    func joinGroup() {
        guard self.phase == .live, self.group == nil else { return }
        self.group = self.hub.join(self, interest: self.interest)
    }

    // MARK: History

    private func startReplay() {
        let replay = HistoryReplay(client: self, hub: self.hub)
        if self.hub.scope.submit({ await replay.run() }) {
            self.replay = replay
        } else {
            self.close(.stopping(offset: self.cursor))
        }
    }

    enum ReplayStep: Sendable {
        case read(LogQuery, isExact: Bool, version: Int)
        case waitForSocket(EventLoopFuture<Void>)
        case ended
    }

    /// What the replay has to do next. Once the newest turns that the hub remembers reach back to the cursor, the rest
    /// comes from them and the client is live: nothing can come in between, as all of it happens in one go.
    func nextReplayStep(limit: Int) -> ReplayStep {
        guard self.phase == .replaying else {
            self.replay = nil
            return .ended
        }
        guard self.sink.isWritable else {
            let promise = self.hub.eventLoop.makePromise(of: Void.self)
            self.writableWaiters.append(promise)
            return .waitForSocket(promise.futureResult)
        }
        if let recent = self.hub.recentBatches(after: self.cursor) {
            if !recent.isEmpty { self.sendDue(StreamTurn(recent, self.hub.compressor)) }
            self.replay = nil
            self.goLive()
            return .ended
        }
        let (filter, isExact) = self.filter.map { ($0, true) } ?? self.subscriptions.logFilter(after: self.cursor)
        let rights = self.principal.rights
        let query = LogQuery(
            filter: rights.narrowing(filter), after: self.cursor, through: self.hub.position, limit: limit)
        return .read(query, isExact: isExact && rights.isUnrestricted, version: self.version)
    }

    /// Sends a page of history; returns how many events went.
    func sendHistory(_ events: [LoggedEvent], of query: LogQuery, isExact: Bool, version: Int, oldest: Int64) -> Int {
        guard self.phase == .replaying, self.cursor == query.after else { return 0 }
        var frames = ByteBuffer()
        if oldest > self.cursor + 1 {
            // Trimmed from under our feet.
            self.sink.format.writeGap(dropped: UInt64(oldest - self.cursor - 1), after: self.lastSent, into: &frames)
        }
        let isExact = isExact && version == self.version
        var count = 0
        for logged in events where isExact || self.isDue(logged) {
            logged.withJSON { json in
                self.sink.format.write(offset: logged.offset, json: json, into: &frames, self.hub.compressor)
            }
            self.lastSent = logged.offset
            count += 1
        }
        self.cursor = events.count < query.limit ? query.through : events.last?.offset ?? query.through
        if frames.readableBytes > 0 { self.sink.send(frames) }
        self.hub.count(sent: count)
        return count
    }

    private func isDue(_ logged: LoggedEvent) -> Bool {
        guard let matcher = self.matcher, let event = try? logged.event() else { return false }
        if self.filter != nil { return matcher.matches(event) }
        return self.subscriptions.isDue(logged.offset, matching: matcher.pairs(matching: event))
    }

    private func sendDue(_ turn: StreamTurn) {
        guard let matcher = self.matcher else { return }
        var runs: [Range<Int>] = []
        for number in 0..<turn.count {
            let event = turn.event(number)
            let isDue =
                self.filter != nil
                ? matcher.matches(event)
                : self.subscriptions.isDue(turn.offset(number), matching: matcher.pairs(matching: event))
            guard isDue else { continue }
            if let last = runs.last, last.upperBound == number {
                runs[runs.count - 1] = last.lowerBound..<number + 1
            } else {
                runs.append(number..<number + 1)
            }
        }
        guard let last = runs.last else { return }
        self.lastSent = turn.offset(last.upperBound - 1)
        self.sink.send(turn.frames(runs, self.sink.format))
        self.hub.count(sent: Self.count(runs))
    }

    private static func count(_ runs: [Range<Int>]) -> Int { runs.reduce(0) { $0 + $1.count } }

    var replayRate: Double? { self.bucket?.rate }

    // MARK: Live

    /// Takes the frames of a turn.
    func deliver(_ turn: StreamTurn, _ runs: [Range<Int>], _ frames: ByteBuffer) {
        guard self.phase == .live else { return }
        if self.bucket != nil {
            if !self.held.isEmpty { self.drain() }
            self.deliverRated(turn, runs)
            return
        }
        if self.hasBacklog { self.drain() }
        if self.sink.isWritable && !self.hasBacklog {
            self.lastSent = Self.lastOffset(turn, runs)
            self.sink.send(frames)
            self.hub.count(sent: Self.count(runs))
        } else if self.conflates {
            self.conflate(turn, runs)
        } else if !self.isDropping,
            self.heldBytes + self.sink.pendingBytes + frames.readableBytes <= self.hub.limits.clientBufferBytes
        {
            if self.held.isEmpty { self.sentBeforeHeld = self.lastSent }
            self.held.append(frames)
            self.heldBytes += frames.readableBytes
            self.heldEvents += Self.count(runs)
            self.lastSent = Self.lastOffset(turn, runs)
        } else {
            self.drop(Self.count(runs))
        }
    }

    private static func lastOffset(_ turn: StreamTurn, _ runs: [Range<Int>]) -> Int64 {
        turn.offset((runs.last?.upperBound ?? 1) - 1)
    }

    private func conflate(_ turn: StreamTurn, _ runs: [Range<Int>]) {
        for run in runs {
            for number in run {
                let frame = turn.ownFrame(number, self.sink.format)
                let entry = ConflationQueue.Entry(offset: turn.offset(number), frame: frame)
                let key = ConflationQueue.Key(turn.event(number))
                if !self.conflated.offer(key, entry, limit: self.hub.limits.clientBufferBytes) { self.drop(1) }
            }
        }
    }

    private func deliverRated(_ turn: StreamTurn, _ runs: [Range<Int>]) {
        if self.conflates {
            self.conflate(turn, runs)
            self.sendRated()
            return
        }
        let now = MonotonicClock.nanoseconds()
        var allowed: [Range<Int>] = []
        var frames = ByteBuffer()
        for number in runs.joined() {
            guard self.sink.isWritable else {
                self.drop(1)
                continue
            }
            if self.bucket?.take(now: now) == true {
                if self.dropped > 0 && allowed.isEmpty { self.writeGap(into: &frames) }
                allowed.append(number..<number + 1)
            } else {
                self.dropped += 1
                self.hub.count(dropped: 1)
            }
        }
        if !allowed.isEmpty {
            var events = turn.frames(allowed, self.sink.format)
            frames.writeBuffer(&events)
            self.lastSent = Self.lastOffset(turn, allowed)
            self.hub.count(sent: allowed.count)
        }
        if frames.readableBytes > 0 { self.sink.send(frames) }
        if self.dropped > 0 { self.armRateTimer(atLeast: 100_000_000) }
    }

    /// Sends as many conflated events as the rate allows now, and comes back for the rest.
    private func sendRated() {
        guard self.sink.isWritable else { return }
        let now = MonotonicClock.nanoseconds()
        var frames = ByteBuffer()
        while !self.conflated.isEmpty, self.bucket?.take(now: now) ?? true {
            for entry in self.conflated.take(1) {
                frames.writeImmutableBuffer(entry.frame)
                self.lastSent = entry.offset
                self.hub.count(sent: 1)
            }
        }
        if self.dropped > 0 { self.writeGap(into: &frames) }
        if frames.readableBytes > 0 { self.sink.send(frames) }
        if !self.conflated.isEmpty { self.armRateTimer(atLeast: 0) }
    }

    private func armRateTimer(atLeast minimum: Int64) {
        guard self.rateTimer == nil, let bucket = self.bucket else { return }
        let delay = max(bucket.delay, minimum)
        self.rateTimer = self.hub.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) { [weak self] in
            guard let self, self.phase != .closed else { return }
            self.rateTimer = nil
            self.drain()
        }
    }

    // MARK: A socket that is full

    private var hasBacklog: Bool { !self.held.isEmpty || !self.conflated.isEmpty || self.dropped > 0 }

    private func drop(_ count: Int) {
        self.dropped += UInt64(count)
        self.hub.count(dropped: UInt64(count))
        guard !self.isDropping else { return }
        self.isDropping = true
        let grace = self.hub.limits.slowClientGrace
        self.stuckTimer = self.hub.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(grace)) { [weak self] in
            guard let self, self.isDropping, self.phase != .closed else { return }
            self.close(.tooSlow(offset: self.resumeOffset))
        }
    }

    /// Notes that events are gone for good, and tells the client as soon as it listens.
    func lose(_ count: UInt64) {
        guard self.phase == .live, count > 0 else { return }
        self.dropped += count
        self.hub.count(dropped: count)
        self.drain()
    }

    private func writeGap(into frames: inout ByteBuffer) {
        self.sink.format.writeGap(dropped: self.dropped, after: self.lastSent, into: &frames)
        self.dropped = 0
    }

    /// The socket takes bytes again.
    func becameWritable() {
        let waiters = self.writableWaiters
        self.writableWaiters = []
        for waiter in waiters { waiter.succeed(()) }
        self.drain()
    }

    /// Sends what waits, as one write, with the news of what was lost.
    private func drain() {
        guard self.phase != .closed, self.sink.isWritable else { return }
        self.isDropping = false
        self.stuckTimer?.cancel()
        self.stuckTimer = nil
        guard self.hasBacklog else { return }
        var frames = ByteBuffer()
        if self.held.count == 1, self.conflated.isEmpty, self.dropped == 0, let only = self.held.first {
            frames = only
        } else {
            for part in self.held { frames.writeImmutableBuffer(part) }
        }
        self.hub.count(sent: self.heldEvents)
        self.held.removeAll()
        self.heldBytes = 0
        self.heldEvents = 0
        if self.bucket != nil && self.conflates {
            if frames.readableBytes > 0 { self.sink.send(frames) }
            self.sendRated()
            return
        }
        for entry in self.conflated.take(.max) {
            frames.writeImmutableBuffer(entry.frame)
            self.lastSent = entry.offset
            self.hub.count(sent: 1)
        }
        if self.dropped > 0 { self.writeGap(into: &frames) }
        if frames.readableBytes > 0 { self.sink.send(frames) }
    }

    // MARK: The end

    /// Ends the stream from our side.
    func close(_ reason: StreamCloseReason) {
        guard self.phase != .closed else { return }
        if case .tooSlow = reason { self.hub.countSlowClient() }
        self.ended()
        self.sink.close(reason)
    }

    /// What a client should resume after: all it was to get up to there has been sent, and nothing behind it.
    var resumeOffset: Int64 {
        if !self.held.isEmpty { return self.sentBeforeHeld }
        return self.phase == .live && !self.hasBacklog ? self.hub.position : self.lastSent
    }

    /// The socket is gone; safe to call more than once.
    func ended() {
        guard self.phase != .closed else { return }
        if let group = self.group { self.hub.leave(group, self) }
        self.group = nil
        self.setPhase(.closed)
        self.held.removeAll()
        self.heldBytes = 0
        self.conflated = ConflationQueue()
        self.stuckTimer?.cancel()
        self.rateTimer?.cancel()
        let waiters = self.writableWaiters
        self.writableWaiters = []
        for waiter in waiters { waiter.succeed(()) }
        self.hub.remove(self)
    }
}
