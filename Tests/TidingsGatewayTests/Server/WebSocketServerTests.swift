import Logging
import NIOCore
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

/// The library's own server, as a program has it.
@Suite(.timeLimit(.minutes(1))) struct WebSocketServerTests {
    private static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private static func server(port: Int = 0) -> WebSocketServer {
        var configuration = GatewayConfiguration()
        configuration.stopTimeout = .seconds(2)
        return WebSocketServer(port: port, configuration: configuration, logger: Self.quiet)
    }

    private static func socket(_ server: WebSocketServer) async throws -> TestSocket {
        let address = try #require(await server.address)
        return try await TestSocket.connect("ws://\(address)/ws")
    }

    private static func follow(_ server: WebSocketServer, from: String? = nil) async throws -> TestSocket {
        let socket = try await Self.socket(server)
        let place = from.map { #","from":\#($0)"# } ?? ""
        _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]\#(place)}"#)
        return socket
    }

    @Test func `three lines show an emitter's events to every client`() async throws {
        let emitter = EventEmitter(source: "books")
        let server = Self.server()
        try await server.attach(to: emitter)
        try await server.start()

        let sockets = [try await Self.follow(server), try await Self.follow(server)]
        for number in 1...100 {
            #expect(emitter.emit("extraction.complete", ["n": .number(ExactDecimal(integerLiteral: Int64(number)))]))
        }
        for socket in sockets { #expect(try await socket.offsets(100) == Array(1...100)) }
        await server.stop()
        #expect(await server.address == nil)
        for socket in sockets { #expect(try await socket.closure().code == .goingAway) }
    }

    @Test func `what a client publishes reaches the emitter's handlers, and is acknowledged with its offset`()
        async throws
    {
        let emitter = EventEmitter(source: "books")
        let server = Self.server()
        try await server.attach(to: emitter)
        try await server.start()
        let seen = Signal<StandardEvent>()
        try emitter.on("command.*") { (event: StandardEvent) throws -> Void in seen.send(event) }

        let socket = try await Self.follow(server)
        emitter.emit("first")
        #expect(try await socket.offsets(1) == [1])
        let other = try await Self.socket(server)
        let event = #"{"event_type":"command.stop","event_id":"c1","source":"me"}"#
        let ack = try JSONObject(json: try await other.ask(#"{"action":"publish","event":\#(event)}"#))
        #expect(ack["data"]?.object?["offset"] == 2)
        #expect(ack["data"]?.object?["status"] == "accepted")
        #expect(try await seen.value().eventID.description == "c1")
        #expect(try await socket.offsets(1) == [2])
        let again = try JSONObject(json: try await other.ask(#"{"action":"publish","event":\#(event)}"#))
        #expect(again["data"]?.object?["status"] == "duplicate")
        #expect(again["data"]?.object?["offset"] == 2)
        await server.stop()
    }

    @Test func `a client finds what it missed while the server was stopped`() async throws {
        let emitter = EventEmitter(source: "books")
        let server = Self.server()
        try await server.attach(to: emitter)
        emitter.emit("before")
        try await server.start()
        let port = try #require(await server.address?.port)
        let first = try await Self.follow(server, from: "\"start\"")
        #expect(try await first.offsets(1) == [1])
        await server.stop()
        emitter.emit("meanwhile")
        try await server.start()
        let second = try await Self.follow(server, from: #"{"offset":1}"#)
        #expect(try await second.offsets(1) == [2])
        await server.stop()

        // The port is free again.
        let heir = Self.server(port: port)
        try await heir.start()
        #expect(await heir.address?.port == port)
        await heir.stop()
    }

    @Test func `a bus with a log is served from that log`() async throws {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        _ = try await bus.publish(StandardEvent(eventType: "early", source: "me", payload: .empty))
        let server = Self.server()
        try await server.attach(to: bus)
        try await server.start()
        let socket = try await Self.follow(server, from: "\"start\"")
        #expect(try await socket.offsets(1) == [1])
        _ = try await bus.publish(StandardEvent(eventType: "late", source: "me", payload: .empty))
        #expect(try await socket.offsets(1) == [2])
        await server.stop()
        await bus.stop()
    }

    @Test func `a server that nothing was attached to has a bus of its own`() async throws {
        let server = Self.server()
        try await server.start()
        let socket = try await Self.follow(server)
        _ = try await server.bus.publish(StandardEvent(eventType: "hello", source: "me", payload: .empty))
        #expect(try await socket.offsets(1) == [1])
        await server.stop()
    }

    @Test func `a taken port is named, and the server can be started when it is free`() async throws {
        let holder = Self.server()
        try await holder.start()
        let port = try #require(await holder.address?.port)
        let server = Self.server(port: port)
        let error = await #expect(throws: GatewayError.self) { try await server.start() }
        #expect(error?.code == .addressInUse)
        #expect(error?.message.contains("127.0.0.1:\(port)") == true)
        await holder.stop()
        try await server.start()
        #expect(await server.address?.port == port)
        await server.stop()
    }

    @Test func `starting and stopping from many tasks at once is the same as one after the other`() async throws {
        let server = Self.server()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask { if number.isMultiple(of: 2) { try await server.start() } else { await server.stop() } }
            }
            try await group.waitForAll()
        }
        try await server.start()
        try await server.start()
        let socket = try await Self.follow(server)
        try await socket.close()
        await server.stop()
        await server.stop()
        #expect(await server.address == nil)
    }

    @Test func `a server that runs is not attached to something else`() async throws {
        let server = Self.server()
        try await server.start()
        let error = await #expect(throws: GatewayError.self) { try await server.attach(to: EventEmitter()) }
        #expect(error?.code == .configuration)
        await server.stop()
        try await server.attach(to: EventEmitter())
    }

    @Test func `a server that is let go closes its connections`() async throws {
        var server: WebSocketServer? = Self.server()
        try await server?.start()
        let socket = try await Self.follow(try #require(server))
        server = nil
        #expect(try await socket.next() == nil)
    }

    @Test func `stopping in the middle of a stream tells each client where to go on`() async throws {
        let emitter = EventEmitter(source: "load")
        let server = Self.server()
        try await server.attach(to: emitter)
        try await server.start()
        let sockets = try await withThrowingTaskGroup(of: TestSocket.self) { group in
            for _ in 0..<10 { group.addTask { try await Self.follow(server) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let watcher = try await Self.follow(server)
        let last = try await withThrowingTaskGroup(of: Int64.self) { group in
            group.addTask {
                var count: Int64 = 0
                while !Task.isCancelled {
                    count += 1
                    emitter.emit("tick")
                    // At the pace of the clients.
                    guard count.isMultiple(of: 100) else { continue }
                    for _ in 0..<100 { if (try? await watcher.next()) == nil { return count } }
                }
                return count
            }
            for socket in sockets { _ = try await socket.offsets(10) }
            await server.stop()
            group.cancelAll()
            return try await group.next() ?? 0
        }
        for socket in sockets {
            var seen: Int64 = 10
            while let message = try await socket.next() {
                guard let offset = message["offset"]?.int.map(Int64.init) else { continue }
                #expect(offset == seen + 1)
                seen = offset
            }
            let closure = try await socket.closure()
            #expect(closure.code == .goingAway)
            #expect(closure.reason.hasSuffix(" \(seen)"), "\(closure.reason)")
            #expect(seen <= last)
        }
    }
}
