import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import Testing

@testable import TidingsWebSocket

@Suite struct ChannelHandlerTests {
    /// What the delegate was told, in words.
    private final class Log: Sendable {
        private let lines = NIOLockedValueBox<[String]>([])
        var all: [String] { self.lines.withLockedValue { $0 } }
        func add(_ line: String) { self.lines.withLockedValue { $0.append(line) } }

        func delegate(
            onText: @escaping @Sendable (WebSocketConnection, String) -> Void = { _, _ in }
        )
            -> WebSocketDelegateFactory
        {
            { _ in
                WebSocketCallbacks(
                    onOpen: { _ in self.add("open") },
                    onText: { connection, bytes in
                        let text = String(decoding: bytes, as: UTF8.self)
                        self.add(text)
                        onText(connection, text)
                    },
                    onReadComplete: { _ in self.add("complete") },
                    onWritability: { _, isWritable in self.add("writable \(isWritable)") },
                    onClose: { _, closure in self.add("closed \(closure.code)") })
            }
        }
    }

    private static func channel(
        _ role: WebSocketRole = .server, options: WebSocketOptions = .init(),
        deflate: WebSocketDeflateParameters? = nil, delegate: @escaping WebSocketDelegateFactory
    ) throws -> (EmbeddedChannel, WebSocketConnection) {
        let handler = WebSocketChannelHandler(
            role: role, options: options, handshake: .init(deflate: deflate), makeDelegate: delegate)
        let channel = EmbeddedChannel(handler: handler)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        return (channel, try #require(handler.connection))
    }

    private static func written(_ channel: EmbeddedChannel) throws -> [UInt8] {
        var all: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { all += buffer.readableBytesView }
        return all
    }

    @Test func `of a flood of pings a few are answered, and the last`() throws {
        let (channel, _) = try Self.channel(delegate: Log().delegate())
        let flood = (1...10_000).flatMap { frame(.ping, "\($0)") }
        try channel.writeInbound(ByteBuffer(bytes: flood))
        let expected = (1...32).map { "\($0)" } + ["10000"]
        #expect(try Self.written(channel) == expected.flatMap { frame(.pong, $0, to: .client) })
        // Who goes on at leisure has every ping answered.
        for number in 1...100 {
            try channel.writeInbound(ByteBuffer(bytes: frame(.ping, "p\(number)")))
            #expect(try Self.written(channel) == frame(.pong, "p\(number)", to: .client))
        }
        #expect(try channel.finish().isClean)
    }

    @Test func `all messages of a read are followed by one completion`() throws {
        let log = Log()
        let (channel, _) = try Self.channel(delegate: log.delegate())
        try channel.writeInbound(ByteBuffer(bytes: frame(.text, "a") + frame(.text, "b") + frame(.text, "c").prefix(3)))
        try channel.writeInbound(ByteBuffer(bytes: frame(.text, "c").dropFirst(3)))
        try channel.writeInbound(ByteBuffer(bytes: frame(.pong, "")))
        #expect(log.all == ["open", "a", "b", "complete", "c", "complete"])
        #expect(try channel.finish().isClean)
        #expect(log.all.last == "closed 1006")
    }

    @Test func `pausing stops delivery inside a read, and resuming goes on where it stopped`() throws {
        let log = Log()
        let (channel, connection) = try Self.channel(
            delegate: log.delegate { connection, text in if text == "b" || text == "d" { connection.pauseReading() } })
        try channel.writeInbound(ByteBuffer(bytes: ["a", "b", "c", "d", "e"].flatMap { frame(.text, $0) }))
        #expect(log.all == ["open", "a", "b", "complete"])
        try channel.writeInbound(ByteBuffer(bytes: frame(.text, "f")))
        #expect(log.all == ["open", "a", "b", "complete"])
        connection.resumeReading()
        #expect(Array(log.all.dropFirst(4)) == ["c", "d", "complete"])
        connection.resumeReading()
        #expect(Array(log.all.dropFirst(7)) == ["e", "f", "complete"])
        _ = try channel.finish()
    }

    @Test func `what was kept while paused is delivered before the end is reported`() throws {
        let log = Log()
        let (channel, _) = try Self.channel(delegate: log.delegate { connection, _ in connection.pauseReading() })
        try channel.writeInbound(ByteBuffer(bytes: frame(.text, "a") + frame(.text, "b") + closeFrame(4001)))
        #expect(log.all == ["open", "a", "complete"])
        _ = try channel.finish()
        #expect(log.all.first == "open")
        #expect(log.all.last?.hasPrefix("closed") == true)
        #expect(log.all.filter { $0.hasPrefix("closed") }.count == 1)
    }

    @Test func `pre-encoded frames go out as they are`() throws {
        let (channel, connection) = try Self.channel(delegate: Log().delegate())
        var joined = ByteBuffer()
        joined.writeWebSocketText("one")
        joined.writeWebSocketFrame(.binary, payload: ByteBuffer(bytes: [1, 2]))
        try connection.send(encoded: joined)
        #expect(try Self.written(channel) == [0x81, 3] + Array("one".utf8) + [0x82, 2, 1, 2])
        #expect(connection.pendingBytes == 0)
        _ = try channel.finish()
    }

    @Test func `a client's frames are masked, each with another key`() throws {
        let (channel, connection) = try Self.channel(.client, delegate: Log().delegate())
        try connection.send(text: "same")
        let first = try Self.written(channel)
        try connection.send(text: "same")
        let second = try Self.written(channel)
        #expect(first != second)
        #expect(events(first) == [.text("same")])
        #expect(events(second) == [.text("same")])
        _ = try channel.finish()
    }

    @Test func `large messages are compressed where that was agreed on, small ones not`() throws {
        let (channel, connection) = try Self.channel(.client, deflate: .init(), delegate: Log().delegate())
        let text = String(repeating: "tidings ", count: 500)
        try connection.send(text: text)
        let bytes = try Self.written(channel)
        #expect(bytes.count < 200)
        #expect(events(bytes, deflate: .init()) == [.text(text)])
        try connection.send(text: "small")
        #expect(events(try Self.written(channel)) == [.text("small")])
        _ = try channel.finish()
    }

    @Test func `sending beyond the limit is refused, and room comes back when the channel has written`() throws {
        var options = WebSocketOptions()
        options.maximumPendingBytes = 100
        let log = Log()
        let handler = WebSocketChannelHandler(role: .server, options: options, makeDelegate: log.delegate())
        let gate = WriteGate()
        let channel = EmbeddedChannel(handlers: [gate, handler])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        let connection = try #require(handler.connection)
        let text = String(repeating: "x", count: 50)
        try connection.send(text: text)
        let error = #expect(throws: WebSocketError.self) { try connection.send(text: text) }
        #expect(error?.code == .tooManyPendingBytes)
        #expect(connection.pendingBytes == 64)
        // Pings of a peer that does not read are bounded as well.
        try channel.writeInbound(ByteBuffer(bytes: (0..<500).flatMap { _ in frame(.ping, "") }))
        #expect(connection.pendingBytes < 110)
        gate.open()
        #expect(connection.pendingBytes == 0)
        try connection.send(text: text)
        _ = try channel.finish()
    }

    @Test func `after the end nothing can be sent`() async throws {
        let (channel, connection) = try Self.channel(delegate: Log().delegate())
        connection.close(.normal)
        let error = #expect(throws: WebSocketError.self) { try connection.send(text: "x") }
        #expect(error?.code == .closed)
        _ = try channel.finish()
        connection.close(.normal)
        connection.pauseReading()
        connection.resumeReading()
        connection.ping()
        connection.abort()
        #expect(!connection.isOpen)
    }

    @Test func `time passes on the event loop's clock: pings, a missed pong, the end`() throws {
        let log = Log()
        let (channel, _) = try Self.channel(delegate: log.delegate())
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(try Self.written(channel).prefix(2) == [0x89, 8])
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(try Self.written(channel).prefix(4) == [0x88, 9, 0x0F, 0xAC])
        #expect(log.all == ["open", "closed 4012"])
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }

    @Test func `a close the peer does not answer ends the socket after the timeout`() throws {
        let log = Log()
        let (channel, connection) = try Self.channel(.client, delegate: log.delegate())
        connection.close(.normal)
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
        #expect(log.all == ["open", "closed 1000"])
    }

    @Test func `a delegate may send, pause and close from inside a message`() throws {
        let log = Log()
        let (channel, _) = try Self.channel(
            delegate: log.delegate { connection, text in
                try? connection.send(text: "re: " + text)
                connection.pauseReading()
                connection.resumeReading()
                if text == "b" { connection.close(.policyViolation) }
            })
        try channel.writeInbound(ByteBuffer(bytes: ["a", "b", "c"].flatMap { frame(.text, $0) } + closeFrame(1008)))
        #expect(log.all == ["open", "a", "b", "complete", "closed 1008"])
        _ = try? channel.finish()
    }
}

/// Keeps writes back until it is opened, as a full socket does.
private final class WriteGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private var waiting: [EventLoopPromise<Void>?]? = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if self.waiting == nil { promise?.succeed() } else { self.waiting?.append(promise) }
    }

    func open() {
        let promises = self.waiting ?? []
        self.waiting = nil
        for promise in promises { promise?.succeed() }
    }
}
