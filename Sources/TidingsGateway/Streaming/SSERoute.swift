import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// `GET /api/v1/stream`: Server-Sent Events.
struct SSERoute: Sendable {
    let feed: StreamFeed
    let commentInterval: Duration

    func stream(_ call: HTTPCall) async throws -> Response {
        let parameters = try call.query(QueryParameters.filterNames.union(["after"]))
        let filter = try parameters.filter()
        let resolution = try await self.resumePoint(call, parameters)?.resolve(in: self.feed.log)
        if call.request.method == .head { return Response(status: .ok, headers: Self.headers) }
        guard self.feed.hasRoom else {
            throw Problem.unavailable(code: "too_many_clients", "All places for streaming clients are taken")
        }
        let (feed, channel, interval, principal) = (self.feed, call.channel, self.commentInterval, call.principal)
        return Response(
            status: .ok, headers: Self.headers,
            body: ResponseBody { out in
                guard feed.reserveClient() else {
                    try await out.finish(nil)
                    return
                }
                defer { feed.releaseClient() }
                let queue = SSEQueue()
                queue.append(Self.opening(resolution, epoch: feed.epoch))
                let stream = try await channel.eventLoop.submit {
                    // A client that goes away is noticed at once, not when the next write fails.
                    try? channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
                    let sink = SSEStream(queue: queue, channel: channel, epoch: feed.epoch)
                    sink.open(
                        feed, filter: filter, after: resolution?.after, as: principal, commentInterval: interval)
                    return NIOLoopBound(sink, eventLoop: channel.eventLoop)
                }.get()
                channel.closeFuture.whenComplete { _ in queue.finish() }
                do {
                    while true {
                        let chunks = await queue.next()
                        if chunks.isEmpty { break }
                        try await out.write(contentsOf: chunks)
                        channel.eventLoop.execute { stream.value.wrote() }
                    }
                } catch {
                    channel.eventLoop.execute { stream.value.ended() }
                    throw error
                }
                channel.eventLoop.execute { stream.value.ended() }
                try await out.finish(nil)
            })
    }

    private static var headers: HTTPFields {
        var headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"]
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return headers
    }

    private func resumePoint(_ call: HTTPCall, _ parameters: QueryParameters) throws(Problem) -> ResumePoint? {
        if let name = HTTPField.Name("Last-Event-ID"), let text = call.request.headers[name], !text.isEmpty {
            // An id that we never gave out is a place in somebody else's history.
            return ResumePoint(eventID: text) ?? .offset(0, epoch: "")
        }
        guard let text = try parameters.single("after") else { return nil }
        guard let point = ResumePoint(eventID: text) else {
            throw .badValue("after", "'after' must be an offset or <epoch>-<offset>, was \(text.prefix(64))")
        }
        return point
    }

    private static func opening(_ resolution: ResumePoint.Resolution?, epoch: String) -> ByteBuffer {
        var buffer = ByteBuffer(string: "retry: 2000\n\n")
        if let resolution, !resolution.isRecovered {
            var writer = JSONWriter()
            writer.literal("event: reset\ndata: {\"recovered\":false,\"epoch\":")
            writer.write(string: epoch)
            writer.literal(",\"oldest_offset\":")
            writer.write(resolution.oldest)
            writer.literal("}\n\n")
            writer.withBytes { _ = buffer.writeBytes($0) }
        }
        return buffer
    }
}

/// The way out for the events of one SSE client. Lives on its event loop.
final class SSEStream: StreamSink {
    private let queue: SSEQueue
    private let channel: any Channel
    let format: FrameFormat
    private var client: StreamClient?
    private var comments: Scheduled<Void>?
    private var commentInterval = TimeAmount.seconds(15)
    private var wasSilent = true

    init(queue: SSEQueue, channel: any Channel, epoch: String) {
        self.queue = queue
        self.channel = channel
        self.format = .serverSentEvents(epoch: epoch)
    }

    func open(
        _ feed: StreamFeed, filter: EventFilter, after: Int64?, as principal: Principal, commentInterval: Duration
    ) {
        guard let hub = feed.hub(on: self.channel.eventLoop), !hub.isStopping else {
            self.queue.finish()
            return
        }
        let client = hub.add(self, principal: principal)
        self.client = client
        self.commentInterval = .nanoseconds(max(commentInterval.wholeNanoseconds, 1_000_000))
        self.armComment()
        client.stream(filter, after: after)
    }

    private func armComment() {
        let eventLoop = self.channel.eventLoop.assumeIsolated()
        self.comments = eventLoop.scheduleTask(in: self.commentInterval) { [weak self] in self?.comment() }
    }

    private func comment() {
        if self.wasSilent && self.queue.byteCount == 0 { self.queue.append(ByteBuffer(string: ":\n\n")) }
        self.wasSilent = true
        self.armComment()
    }

    /// The task has written what it took.
    func wrote() {
        self.client?.becameWritable()
    }

    /// The response is over.
    func ended() {
        self.comments?.cancel()
        self.comments = nil
        self.client?.ended()
        self.client = nil
    }

    // MARK: StreamSink

    var isWritable: Bool { self.queue.isWritable }
    var pendingBytes: Int { self.queue.byteCount }

    func send(_ frames: ByteBuffer) {
        self.wasSilent = false
        self.queue.append(frames)
    }

    func close(_ reason: StreamCloseReason) {
        self.queue.finish()
        // A client that does not read would hold the response open for ever.
        if case .tooSlow = reason { self.channel.close(promise: nil) }
    }
}
