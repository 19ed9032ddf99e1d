import DequeModule
import Logging
import NIOCore
import Tidings
import TidingsWebSocket

/// The gateway's end of one WebSocket: answers requests in the order they came, and is the way out for the events of
/// its ``StreamClient``. Lives on the connection's event loop.
///
/// The publishes of one socket read go to the bus as one batch. While the bus or the log is asked something the socket
/// is not read, so a client cannot ask faster than it gets answers.
final class WebSocketStream: WebSocketDelegate, StreamSink {
    private enum Item {
        case request(WebSocketRequest)
        case refusal(WebSocketRequestError)
    }

    private struct Publish {
        let event: Result<StandardEvent, EventDecodingError>
        let id: [UInt8]?
    }

    private let feed: StreamFeed
    private let ingest: EventIngest
    private let limits: GatewayConfiguration.Limits
    private let connection: WebSocketConnection
    private let caller: IngestCaller
    /// Whether the client has asked for the subprotocol `cloudevents.json`.
    private let speaksCloudEvents: Bool
    private let principal: Principal
    private var client: StreamClient?
    private var items = Deque<Item>()
    private var isBusy = false
    private var replies = ByteBuffer()

    /// A place for the client must have been reserved with the feed; it is given back at the end.
    init(
        _ connection: WebSocketConnection, principal: Principal, feed: StreamFeed, ingest: EventIngest,
        limits: GatewayConfiguration.Limits
    ) {
        self.connection = connection
        self.principal = principal
        self.feed = feed
        self.ingest = ingest
        self.limits = limits
        self.caller = IngestCaller(principal: principal, address: connection.remoteAddress)
        self.speaksCloudEvents = connection.handshake.subprotocol == CloudEventName.subprotocol
        self.format = FrameFormat(
            isCloudEvents: self.speaksCloudEvents, isDeflated: connection.handshake.deflate != nil)
    }

    // MARK: The socket

    func webSocketDidOpen(_ connection: WebSocketConnection) {
        guard let hub = self.feed.hub(on: connection.eventLoop), !hub.isStopping else {
            connection.close(.goingAway, reason: "stopping")
            return
        }
        self.client = hub.add(self, principal: self.principal)
    }

    func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {
        guard self.client != nil else { return }
        let defaults = EventDecodingDefaults(
            source: self.principal.source(or: "websocket"), maximumByteCount: self.limits.eventBytes)
        do throws(WebSocketRequestError) {
            self.items.append(
                .request(
                    try WebSocketRequest(bytes, defaults: defaults, allowsCloudEvents: self.speaksCloudEvents)))
        } catch {
            self.items.append(.refusal(error))
        }
        self.work(isReadComplete: false)
        if self.isBusy { connection.pauseReading() }
    }

    func webSocket(_ connection: WebSocketConnection, didReceiveBinary bytes: UnsafeRawBufferPointer) {
        connection.close(.unacceptableData, reason: "text frames only")
    }

    func webSocketDidCompleteRead(_ connection: WebSocketConnection) {
        self.work(isReadComplete: true)
        if self.isBusy { connection.pauseReading() }
    }

    func webSocket(_ connection: WebSocketConnection, didChangeWritability isWritable: Bool) {
        if isWritable { self.client?.becameWritable() }
    }

    func webSocket(_ connection: WebSocketConnection, didClose closure: WebSocketClosure) {
        self.client?.ended()
        self.client = nil
        self.items.removeAll()
        self.feed.releaseClient()
    }

    // MARK: StreamSink

    let format: FrameFormat
    var isWritable: Bool { self.connection.isWritable }
    var pendingBytes: Int { self.connection.bufferedBytes }

    func send(_ frames: ByteBuffer) {
        // The client looks at `isWritable` first.
        self.connection.sendUncounted(encoded: frames)
    }

    func close(_ reason: StreamCloseReason) {
        switch reason {
        case .stopping(let offset): self.connection.close(.goingAway, reason: "stopping, resume after \(offset)")
        case .tooSlow(let offset): self.connection.close(.tooSlow, reason: "too slow, resume after \(offset)")
        case .accessEnded: self.connection.close(.policyViolation, reason: "the access token has ended")
        case .storeFailed: self.connection.close(.internalError, reason: "the log could not be read")
        }
    }

    private func fail(_ error: WebSocketError) {
        // Whoever lets this much wait asks without ever reading the answers.
        if error.code == .tooManyPendingBytes { self.client?.close(.tooSlow(offset: self.client?.resumeOffset ?? 0)) }
    }

    // MARK: Requests

    /// Answers what has come in, until something has to be waited for.
    private func work(isReadComplete: Bool) {
        while !self.isBusy, let first = self.items.first {
            if case .request(let request) = first, case .publish = request.action {
                guard self.publish(isReadComplete: isReadComplete) else { break }
                continue
            }
            self.items.removeFirst()
            switch first {
            case .refusal(let error): self.reply(.error(error.message, id: error.id))
            case .request(let request): self.answer(request)
            }
        }
        self.flush()
    }

    private func answer(_ request: WebSocketRequest) {
        switch request.action {
        case .ping: self.reply(.pong(id: request.id))
        case .unsubscribe(let unsubscribe):
            let removed = self.client?.unsubscribe(symbols: unsubscribe.symbols, types: unsubscribe.types) ?? 0
            self.reply(.unsubscribed(unsubscribe, removed: removed, id: request.id))
        case .subscribe(let subscribe): self.subscribe(subscribe, id: request.id)
        case .publish: break
        }
    }

    private func reply(_ reply: WebSocketReply) {
        reply.withBytes { self.replies.writeWebSocketFrame(.text, payload: $0) }
    }

    private func flush() {
        guard self.replies.readableBytes > 0 else { return }
        let replies = self.replies
        self.replies = ByteBuffer()
        do {
            try self.connection.send(encoded: replies)
        } catch {
            self.fail(error)
        }
    }

    /// Starts something that takes time; nothing else is answered until `finished`.
    private func wait(_ work: @escaping WorkScope.Work) {
        self.isBusy = true
        if !self.feed.scope.submit(work) { self.connection.close(.goingAway, reason: "stopping") }
    }

    private func finished() {
        self.isBusy = false
        self.work(isReadComplete: true)
        if !self.isBusy { self.connection.resumeReading() }
    }

    // MARK: Subscribing

    private func subscribe(_ request: WebSocketRequest.Subscribe, id: [UInt8]?) {
        guard let client = self.client else { return }
        guard self.principal.scopes.contains(.read) else {
            self.reply(.forbidden("This needs a token with the scope 'read'", id: id))
            return
        }
        guard client.pairCount + request.symbols.count * request.types.count <= self.limits.subscriptions else {
            self.reply(
                .error(
                    "Too many subscriptions: at most \(self.limits.subscriptions) pairs of symbol and type", id: id))
            return
        }
        guard let from = request.from else {
            self.subscribe(request, resolution: nil, id: id)
            return
        }
        let stream = NIOLoopBound(self, eventLoop: self.connection.eventLoop)
        let (log, eventLoop) = (self.feed.log, self.connection.eventLoop)
        self.wait {
            do throws(EventLogError) {
                let resolution = try await from.resolve(in: log)
                eventLoop.execute {
                    stream.value.subscribe(request, resolution: resolution, id: id)
                    stream.value.finished()
                }
            } catch {
                let message = error.message
                eventLoop.execute {
                    stream.value.reply(.error("The log could not be read: \(message)", id: id))
                    stream.value.finished()
                }
            }
        }
    }

    private func subscribe(_ request: WebSocketRequest.Subscribe, resolution: ResumePoint.Resolution?, id: [UInt8]?) {
        guard let client = self.client else { return }
        let sources = request.sources.sorted().map { Name($0) }
        let pairs = request.symbols.flatMap { symbol in
            request.types.map { SubscriptionPair(symbol: symbol, type: $0, sources: sources) }
        }
        let offset = resolution?.after ?? client.liveStart
        // The answer goes before any event.
        self.reply(.subscribed(request, epoch: self.feed.epoch, offset: offset, resolution: resolution, id: id))
        self.flush()
        if let conflate = request.conflate { client.conflates = conflate }
        if let rate = request.maxRate { client.limitRate(rate) }
        client.subscribe(pairs, after: resolution?.after)
    }

    // MARK: Publishing

    /// Publishes the events at the head of the queue as one batch; false while more of them may come in this read.
    private func publish(isReadComplete: Bool) -> Bool {
        var publishes: [Publish] = []
        for case .request(let request) in self.items.prefix(EventBatch.capacity) {
            guard case .publish(let event) = request.action else { break }
            publishes.append(Publish(event: event, id: request.id))
        }
        guard isReadComplete || publishes.count == EventBatch.capacity || publishes.count < self.items.count else {
            return false
        }
        self.items.removeFirst(publishes.count)
        let events = publishes.compactMap { try? $0.event.get() }
        let stream = NIOLoopBound(self, eventLoop: self.connection.eventLoop)
        let (ingest, eventLoop, caller) = (self.ingest, self.connection.eventLoop, self.caller)
        let sent = publishes
        let areCloudEvents = self.speaksCloudEvents
        self.wait {
            let run =
                areCloudEvents
                ? await ingest.publish(cloudEvents: events, from: caller) : await ingest.publish(events, from: caller)
            eventLoop.execute { stream.value.published(sent, run) }
        }
        return true
    }

    private func published(_ publishes: [Publish], _ run: IngestRun) {
        var outcomes = run.outcomes[...]
        for publish in publishes {
            switch publish.event {
            case .failure(let error): self.reply(.refused(error, id: publish.id))
            case .success(let event):
                guard let outcome = outcomes.popFirst() ?? run.stop.map({ .unavailable($0) }) else { continue }
                self.reply(.published(event, outcome, id: publish.id))
            }
        }
        self.finished()
    }
}
