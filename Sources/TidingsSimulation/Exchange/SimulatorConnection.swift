internal import Logging
internal import NIOCore
internal import Tidings
internal import TidingsWebSocket

/// Drives one client's playback: the clock, the socket, and what goes wrong. Lives on the connection's event loop.
final class SimulatorConnection<Source: PlaybackSource>: WebSocketDelegate {
    private enum Mode {
        case normal
        /// Nothing comes any more, but questions are answered.
        case stale
        /// Nobody is there any more.
        case silent
    }

    /// So much is put into one write, and so many ticks are looked at before others get their turn.
    private static var batchBytes: Int { 1 << 16 }
    private static var batchTicks: Int { 512 }

    private let context: SimulatorContext
    private let makePlayback: @Sendable (_ now: Int64) -> Playback<Source>
    private var playback: Playback<Source>?
    private var playbackNumber = 0
    private var client: SimulatedClient
    private var heartbeat: Scheduled<Void>?
    private var lastSent: Int64 = .min
    private var mode = Mode.normal
    private var frames = ByteBuffer()
    private var timer: Scheduled<Void>?
    private var isPumping = false

    init(
        context: SimulatorContext, path: String, makePlayback: @escaping @Sendable (_ now: Int64) -> Playback<Source>
    ) {
        self.context = context
        self.client = SimulatedClient(path: path, isRecorded: context.isRecorded)
        self.makePlayback = makePlayback
    }

    private var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

    // MARK: Requests

    func webSocketDidOpen(_ connection: WebSocketConnection) {
        self.context.venue.open(&self.client)
        if !self.context.isRecorded { self.context.venue.greeting.forEach { self.add($0) } }
        let topics = self.client.subscriptions
        if !topics.isEmpty {
            self.select()
            for topic in topics { self.begin(topic) }
            self.schedule(connection, at: .min)
        }
        self.flush(connection)
        if self.context.venue.hasHeartbeats { self.scheduleHeartbeat(connection) }
    }

    private func scheduleHeartbeat(_ connection: WebSocketConnection) {
        self.heartbeat = connection.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.beat(connection)
            if self.mode != .silent { self.scheduleHeartbeat(connection) }
        }
    }

    func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {
        guard self.mode != .silent else { return }
        let before = self.client.subscriptions
        let replies = self.context.venue.answer(
            bytes, client: &self.client, knows: { self.context.symbols.contains($0) })
        let isChanged = before != self.client.subscriptions
        if isChanged { self.select() }
        for reply in replies {
            switch reply {
            case .frame(let frame): self.add(frame)
            case .begin(let topic): self.begin(topic)
            case .acknowledgements(let topics, let made):
                self.add(self.playback?.source.acknowledgement(ofAll: topics) ?? made)
            case .acknowledgement(let topic, let made):
                if let recorded = self.playback?.source.acknowledgement(of: topic) {
                    self.add(self.context.venue.acknowledgement(recorded: recorded, made: made))
                } else {
                    self.add(made)
                }
                self.begin(topic)
            }
        }
        self.flush(connection)
        if isChanged { self.schedule(connection, at: .min) }
    }

    /// Tells the playback what is subscribed to; the first time it begins.
    private func select() {
        if self.playback == nil {
            self.playback = self.makePlayback(self.now)
            self.playbackNumber = self.context.board.begin(now: self.now)
            if let playback = self.playback {
                self.context.board.report(playback.source.snapshot, of: self.playbackNumber)
            }
        }
        self.playback?.select(self.client, now: self.now)
    }

    private func begin(_ topic: Topic) {
        guard self.mode == .normal else { return }
        self.playback?.source.begin(topic) { self.add($0) }
    }

    /// What the venue sends by the clock goes on on a stale connection: it is alive, only its data is not.
    private func beat(_ connection: WebSocketConnection) {
        guard self.mode != .silent, connection.isOpen, connection.isWritable, let playback = self.playback else {
            return
        }
        let frames = self.context.venue.heartbeats(
            for: &self.client, isIdle: self.now - self.lastSent >= 1_000_000_000,
            isPlaying: self.mode == .normal && playback.isPlaying, from: playback.source.snapshot)
        frames.forEach { self.add($0) }
        self.flush(connection)
    }

    func webSocket(_ connection: WebSocketConnection, didReceiveBinary bytes: UnsafeRawBufferPointer) {
        guard self.mode != .silent else { return }
        connection.close(.unacceptableData, reason: "text only")
    }

    func webSocket(_ connection: WebSocketConnection, didChangeWritability isWritable: Bool) {
        if isWritable { self.pump(connection) }
    }

    func webSocket(_ connection: WebSocketConnection, didClose closure: WebSocketClosure) {
        self.timer?.cancel()
        self.timer = nil
        self.heartbeat?.cancel()
        self.heartbeat = nil
        self.mode = .silent
        self.playback = nil
    }

    // MARK: Playing

    /// Sends what is due, as far as the client takes it; what is then left waits for the clock or for the client.
    private func pump(_ connection: WebSocketConnection) {
        guard !self.isPumping else { return }
        self.isPumping = true
        let next = self.playBatch(connection)
        self.isPumping = false
        if let playback = self.playback {
            self.context.board.report(playback.source.snapshot, of: self.playbackNumber)
        }
        if let next { self.schedule(connection, at: next) }
    }

    /// - Returns: when to go on; `nil` when something else will tell.
    private func playBatch(_ connection: WebSocketConnection) -> Int64? {
        var ticks = 0
        while self.mode == .normal, connection.isOpen, connection.isWritable {
            guard ticks < Self.batchTicks, self.frames.readableBytes < Self.batchBytes else {
                self.flush(connection)
                // What is not writable now is told when it is.
                return connection.isWritable ? .min : nil
            }
            ticks += 1
            switch self.step(self.now) {
            case .again: continue
            case .wait(let until):
                self.flush(connection)
                return until
            case .idle, nil:
                self.flush(connection)
                return nil
            case .fault(let index):
                self.flush(connection)
                if let fault = self.context.faults.claim(index) { self.perform(fault, connection) }
            }
        }
        self.flush(connection)
        return nil
    }

    private func step(_ now: Int64) -> Playback<Source>.Step? {
        self.playback?.step(now: now, emit: { self.add($0) }, leaveOut: { self.client.nextSequence &+= 1 })
    }

    private func schedule(_ connection: WebSocketConnection, at time: Int64) {
        self.timer?.cancel()
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(clamping: max(time, 0)))
        self.timer = connection.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            self.pump(connection)
        }
    }

    private func add(_ frame: [UInt8]) {
        frame.withUnsafeBytes { self.add($0) }
    }

    private func add(_ frame: UnsafeRawBufferPointer) {
        guard self.context.venue.numbersFrames,
            let numbered = self.context.venue.numbered(frame, as: self.client.nextSequence)
        else {
            self.frames.writeWebSocketFrame(.text, payload: frame)
            return
        }
        self.client.nextSequence &+= 1
        numbered.withUnsafeBytes { self.frames.writeWebSocketFrame(.text, payload: $0) }
    }

    private func flush(_ connection: WebSocketConnection) {
        guard self.frames.readableBytes > 0 else { return }
        let frames = self.frames
        self.frames = ByteBuffer()
        self.lastSent = self.now
        do throws(WebSocketError) {
            try connection.send(encoded: frames)
        } catch {
            // Closed, or asking without ever reading the answers.
            connection.abort()
        }
    }

    // MARK: Faults

    private func perform(_ fault: Fault, _ connection: WebSocketConnection) {
        self.context.logger.info("Fault injected", metadata: [LogKey.reason: "\(fault)"])
        switch fault.kind {
        case .drop:
            self.mode = .silent
            connection.abort()
        case .tooManyRequests:
            self.mode = .silent
            self.context.ban.begin(at: self.now)
            connection.abort()
        case .garbage: self.add(self.context.venue.brokenFrame)
        case .stale: self.mode = .stale
        case .serviceRestart:
            self.mode = .silent
            connection.close(.serviceRestart, reason: "service restart")
        case .halfOpen:
            self.mode = .silent
            connection.pauseReading()
        case .slow: self.playback?.slowDown(now: self.now)
        case .gap: self.playback?.skip(20)
        case .corrupt: self.playback?.corrupt()
        }
    }
}
