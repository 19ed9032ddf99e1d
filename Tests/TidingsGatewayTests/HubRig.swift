import NIOCore
import NIOPosix
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

/// A hub without sockets, for tests that say themselves when which client's socket is full. Everything runs on its event
/// loop, so nothing happens in between.
final class HubRig {
    let hub: StreamHub
    let mailbox = StreamMailbox()
    private(set) var published: [StandardEvent] = []

    /// On the event loop.
    init(_ eventLoop: any EventLoop, log: any EventLog = MemoryEventLog(), bufferBytes: Int = 1 << 20) {
        self.hub = StreamHub(
            eventLoop: eventLoop, log: log, scope: WorkScope(),
            limits: StreamHub.Limits(clientBufferBytes: bufferBytes, slowClientGrace: 60_000_000_000),
            mailbox: self.mailbox)
        self.hub.start(at: 0)
    }

    /// Runs a test's body on an event loop.
    static func run<Result: Sendable>(
        _ body: @escaping @Sendable (any EventLoop) throws -> Result
    ) async throws -> Result {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        return try await eventLoop.submit { try body(eventLoop) }.get()
    }

    /// Hands the hub events as the log does, and lets it send them.
    func publish(_ events: [StandardEvent]) {
        var rest = events[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(EventBatch.capacity))
            rest = rest.dropFirst(part.count)
            _ = self.mailbox.offer(
                CommittedBatch(EventSelection(EventBatch(part)), firstOffset: Int64(self.published.count + 1)))
            self.published += part
        }
        self.hub.drain()
    }
}

/// A socket that takes what it is told to take, and remembers it.
final class TestSink: StreamSink {
    let format: FrameFormat
    var isWritable = true
    var pendingBytes = 0
    private(set) var closed: StreamCloseReason?
    private var received = ByteBuffer()

    init(_ format: FrameFormat = .webSocket) {
        self.format = format
    }

    func send(_ frames: ByteBuffer) {
        var frames = frames
        self.received.writeBuffer(&frames)
    }

    func close(_ reason: StreamCloseReason) { self.closed = reason }

    enum Message: Equatable {
        case event(Int64)
        case gap(dropped: Int, after: Int64)
    }

    /// What has come since the last time, in order.
    func takeMessages() throws -> [Message] {
        let isDeflated = self.format == .deflatedWebSocket
        var session = WebSocketSession(role: .client, deflate: isDeflated ? .init() : nil, now: 0)
        var messages: [Message] = []
        try self.received.withUnsafeReadableBytes { bytes in
            var offset = 0
            while let action = session.next(in: bytes, from: &offset, now: 0) {
                guard case .text(let payload) = action else { continue }
                let text: UnsafeRawBufferPointer
                switch payload {
                case .input(let range): text = UnsafeRawBufferPointer(rebasing: bytes[range])
                case .assembled: text = session.assembled
                }
                let object = try JSONObject(json: text)
                if object["type"]?.string == "gap" {
                    messages.append(.gap(dropped: object["dropped"]?.int ?? 0, after: Int64(object["after"]?.int ?? 0)))
                } else {
                    messages.append(.event(Int64(object["offset"]?.int ?? 0)))
                }
            }
        }
        self.received.clear()
        return messages
    }
}

/// Random numbers that are the same in every run (SplitMix64).
struct HubRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
