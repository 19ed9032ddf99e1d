import NIOCore
import Testing

@testable import TidingsWebSocket

@Suite(.timeLimit(.minutes(1))) struct ListenerHTTPTests {
    static let upgrade = """
        GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
        """

    private static let answer: WebSocketListener.RequestHandler = { request in
        .init(
            headers: [.init("X-Bad\r\n", "x"), .init("X-Good", "y")],
            text:
                "\(request.method) \(request.uri) \(request.headers.first("x-a") ?? "-") \(String(buffer: request.body))|"
        )
    }

    @Test func `GET and POST are answered on one connection, pipelined or chunked`() async throws {
        try await withListener(onRequest: Self.answer) { listener in
            let client = try await RawClient(port: listener.port)
            try await client.send("GET /a?b HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n\r\n")
            let first = await client.read(until: "|")
            #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(first.contains("X-Good: y\r\n"))
            #expect(!first.contains("X-Bad"))
            #expect(first.hasSuffix("GET /a?b 1 |"))
            try await client.send(
                "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                    + "POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                    + "HEAD /e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let rest = await client.read()
            #expect(rest.contains("POST /c - hello|"))
            #expect(rest.contains("POST /d - abcde|"))
            #expect(rest.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func `an upgrade is granted on a used connection too, with frames right behind it`() async throws {
        try await withListener(onRequest: Self.answer) { listener in
            let client = try await RawClient(port: listener.port)
            try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = await client.read(until: "|")
            try await client.send(Array(Self.upgrade.utf8) + frame(.text, "first|") + frame(.text, "second|"))
            let answer = await client.read(until: "second|")
            #expect(answer.hasPrefix("HTTP/1.1 101 "))
            #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            #expect(answer.contains("first|"))
            #expect(listener.webSockets.count == 1)
            try await client.close()
        }
    }

    @Test func `a body over the limit is answered with 413`() async throws {
        var configuration = WebSocketListenerConfiguration()
        configuration.maximumBodyBytes = 10
        try await withListener(configuration, onRequest: Self.answer) { listener in
            let client = try await RawClient(port: listener.port)
            try await client.send("POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world")
            #expect(await client.read().hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func `a request that does not come to its end is dropped`() async throws {
        var configuration = WebSocketListenerConfiguration()
        configuration.requestTimeout = .milliseconds(400)
        configuration.idleTimeout = .milliseconds(400)
        try await withListener(configuration, onRequest: Self.answer) { listener in
            for start in ["", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel"] {
                let client = try await RawClient(port: listener.port)
                if !start.isEmpty { try await client.send(start) }
                #expect(await client.read() == "")
            }
            let client = try await RawClient(port: listener.port)
            try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await client.read().hasSuffix("|"))
        }
    }

    @Test func `what is not HTTP is dropped`() async throws {
        try await withListener { listener in
            let client = try await RawClient(port: listener.port)
            try await client.send("\u{0}\u{1}nonsense\r\n\r\n")
            _ = await client.read()
        }
    }

    @Test func `an upgrade that breaks the rules is refused before anybody is asked`() async throws {
        try await withListener(onUpgrade: { _ in
            Issue.record("asked")
            return .refuse(.init(status: 500))
        }) { listener in
            let client = try await RawClient(port: listener.port)
            try await client.send(Self.upgrade.replacing("Version: 13", with: "Version: 7"))
            let answer = await client.read()
            #expect(answer.hasPrefix("HTTP/1.1 426 "))
            #expect(answer.contains("Sec-WebSocket-Version: 13\r\n"))
        }
    }

    @Test func `more connections than allowed are closed at once`() async throws {
        var configuration = WebSocketListenerConfiguration()
        configuration.maximumConnections = 1
        try await withListener(configuration, onRequest: Self.answer) { listener in
            let first = try await RawClient(port: listener.port)
            try await first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = await first.read(until: "|")
            let second = try await RawClient(port: listener.port)
            #expect(await second.read() == "")
            try await first.close()
        }
    }

    @Test func `closing lets a request in progress finish`() async throws {
        let (started, isStarted) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (release, isReleased) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let listener = try await WebSocketListener.bind(
            onUpgrade: { _ in .refuse(.init(status: 404)) },
            onRequest: { _ in
                isStarted.yield()
                for await _ in release { break }
                return .init(text: "late|")
            })
        let client = try await RawClient(port: listener.port)
        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for await _ in started { break }
        async let closed: Void = listener.close()
        isReleased.yield()
        #expect(await client.read().hasSuffix("late|"))
        await closed
    }

    @Test func `a port in use is an error`() async throws {
        try await withListener { listener in
            var configuration = WebSocketListenerConfiguration()
            configuration.port = listener.port
            let error = await #expect(throws: WebSocketError.self) {
                try await WebSocketListener.bind(
                    configuration: configuration, onUpgrade: { _ in .accept(delegate: echo) })
            }
            #expect(error?.code == .bindFailed)
        }
    }
}
