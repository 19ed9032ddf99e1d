import Logging
import NIOCore
import NIOPosix
import Testing
import TidingsTestSupport
import TidingsWebSocket

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct VenueHTTPTests {
    private static let logger = Logger(label: "test")
    private static var limits: VenueLimits {
        var limits = VenueLimits()
        limits.requestWeight = 10_000
        limits.requestSpacing = .zero
        return limits
    }

    private let ban = (status: 418, headers: [WebSocketHeader("Retry-After", "3600")], body: "")

    /// Runs `body` against a server that gives these answers, one after the other and the last one for ever.
    private func with(
        _ answers: [(status: Int, headers: [WebSocketHeader], body: String)], proxy: String? = nil,
        onLimit: @escaping @Sendable (VenueHTTP.Limit) -> Void = { _ in },
        _ body: (VenueHTTP, Collector<String>) async throws -> Void
    ) async throws {
        let requests = Collector<String>()
        let count = Locked(0)
        var configuration = WebSocketListenerConfiguration()
        configuration.port = 0
        let listener = try await WebSocketListener.bind(
            configuration: configuration,
            onUpgrade: { _ in .refuse(.init(status: 400, message: "no sockets here", headers: [])) },
            onRequest: { request in
                let sent = String(buffer: request.body)
                requests.add("\(request.method) \(request.uri)\(sent.isEmpty ? "" : " \(sent)")")
                let index = count.withLock { count in
                    defer { count += 1 }
                    return min(count, answers.count - 1)
                }
                let answer = answers[index]
                return .init(status: answer.status, headers: answer.headers, body: ByteBuffer(string: answer.body))
            })
        let http = try VenueHTTP(
            rest: "http://127.0.0.1:\(listener.port)/", limits: Self.limits, proxy: proxy, logger: Self.logger,
            onLimit: onLimit)
        do {
            try await body(http, requests)
        } catch {
            await http.shutdown()
            await listener.close()
            throw error
        }
        await http.shutdown()
        await listener.close()
    }

    @Test func `a request goes out as it is, and the body of the answer comes back`() async throws {
        try await self.with([(200, [], #"{"a":1}"#)]) { http, requests in
            let get = await http.answer(to: VenueRequest(.instruments, .get, "/a?b=c"))
            #expect(get == .body(Array(#"{"a":1}"#.utf8)))
            _ = await http.answer(to: VenueRequest(.instruments, .post, "/info", body: #"{"type":"meta"}"#))
            #expect(requests.values == ["GET /a?b=c", #"POST /info {"type":"meta"}"#])
        }
    }

    @Test func `a refusal comes back with its status and its words, and is not tried again`() async throws {
        try await self.with([(404, [], "no such symbol")]) { http, requests in
            let answer = await http.answer(to: VenueRequest(.instruments, .get, "/a"))
            #expect(answer == .failure(status: 404, reason: "no such symbol"))
            #expect(requests.values.count == 1)
        }
    }

    @Test func `a server's error is tried again`() async throws {
        try await self.with([(502, [], ""), (503, [], ""), (200, [], "fine")]) { http, requests in
            #expect(await http.answer(to: VenueRequest(.instruments, .get, "/a")) == .body(Array("fine".utf8)))
            #expect(requests.values.count == 3)
        }
    }

    @Test func `a venue that answers 429 is left alone for as long as it asks, and asked again`() async throws {
        let limits = Collector<VenueHTTP.Limit>()
        let busy = (status: 429, headers: [WebSocketHeader("Retry-After", "1")], body: "")
        try await self.with([busy, (200, [], "fine")], onLimit: { limits.add($0) }) { http, _ in
            let began = ContinuousClock.now
            #expect(await http.answer(to: VenueRequest(.instruments, .get, "/a")) == .body(Array("fine".utf8)))
            #expect(ContinuousClock.now - began >= .seconds(1))
            #expect(limits.values.map(\.status) == [429])
        }
    }

    @Test func `whoever waits while the venue wants to be left alone ends at once when it is cancelled`() async throws {
        let limits = Collector<VenueHTTP.Limit>()
        try await self.with([self.ban], onLimit: { limits.add($0) }) { http, _ in
            let waiting = Task { await http.answer(to: VenueRequest(.instruments, .get, "/a")) }
            #expect(await limits.wait(for: 1).map(\.pause) == [.seconds(3600)])
            waiting.cancel()
            #expect(await waiting.value == .failure(status: nil, reason: "cancelled"))
        }
    }

    @Test func `nobody there is a failure with a reason`() async throws {
        let http = try VenueHTTP(rest: "http://127.0.0.1:1", limits: Self.limits, proxy: nil, logger: Self.logger)
        guard case .failure(nil, let reason) = await http.answer(to: VenueRequest(.instruments, .get, "/a")) else {
            Issue.record("an answer from nobody")
            return
        }
        #expect(!reason.isEmpty)
        await http.shutdown()
    }

    @Test func `requests go through a proxy with its user`() async throws {
        try await withProxy { proxy in
            try await self.with(
                [(200, [], "by proxy")], proxy: "http://me:secret@127.0.0.1:\(proxy.port)"
            ) { http, requests in
                #expect(await http.answer(to: VenueRequest(.instruments, .get, "/a")) == .body(Array("by proxy".utf8)))
                #expect(requests.values == ["GET /a"])
                #expect(proxy.targets.count == 1)
            }
        }
    }

    @Test func `whoever waits ends at once when it is shut down, and so does who comes later`() async throws {
        let limits = Collector<VenueHTTP.Limit>()
        try await self.with([self.ban], onLimit: { limits.add($0) }) { http, requests in
            async let waiting = http.answer(to: VenueRequest(.instruments, .get, "/a"))
            _ = await limits.wait(for: 1)
            await http.shutdown()
            #expect(await waiting == .failure(status: nil, reason: "cancelled"))
            #expect(
                await http.answer(to: VenueRequest(.instruments, .get, "/b"))
                    == .failure(status: nil, reason: "cancelled"))
            #expect(requests.values.count == 1)
        }
    }

    @Test func `two who ask one address by one way keep its limits together`() async throws {
        let limits = Collector<VenueHTTP.Limit>()
        try await self.with([self.ban], onLimit: { limits.add($0) }) { http, requests in
            let other = try VenueHTTP(rest: http.rest + "/", limits: Self.limits, proxy: nil, logger: Self.logger)
            let elsewhere = try VenueHTTP(
                rest: http.rest, limits: Self.limits, proxy: "http://127.0.0.1:1", logger: Self.logger)
            async let waiting = http.answer(to: VenueRequest(.instruments, .get, "/a"))
            _ = await limits.wait(for: 1)
            #expect(other.schedule.withLock { $0.pausedUntil } > MonotonicClock.nanoseconds())
            #expect(elsewhere.schedule.withLock { $0.pausedUntil } < MonotonicClock.nanoseconds())
            for one in [http, other, elsewhere] { await one.shutdown() }
            _ = await waiting
        }
    }

    @Test func `a schedule that nobody has any more is forgotten`() {
        func makeOne() -> Int64 {
            let schedule = SharedSchedule.of("http://forgotten.example", proxy: nil, Self.limits)
            defer { schedule.withLock { _ = $0.limited(isBan: true, asked: nil, now: 1) } }
            return schedule.withLock { $0.pausedUntil }
        }
        #expect(makeOne() == .min)
        #expect(makeOne() == .min)
    }

    @Test func `an answer that does not end is given up`() async throws {
        // A server that promises more than it sends.
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let http = try VenueHTTP(
            rest: "http://127.0.0.1:\(server.localAddress?.port ?? 0)", limits: Self.limits, proxy: nil,
            logger: Self.logger, patience: .milliseconds(100))
        let answer = await http.answer(to: VenueRequest(.instruments, .get, "/a"))
        #expect(answer == .failure(status: nil, reason: "no whole answer within 0.1 seconds"))
        await http.shutdown()
        try await server.close()
    }

    @Test func `a venue that says its weight is used up is not asked again in that minute`() async throws {
        let used = [WebSocketHeader("X-MBX-USED-WEIGHT-1M", "9500")]
        try await self.with([(200, used, "fine")]) { http, _ in
            #expect(await http.answer(to: VenueRequest(.instruments, .get, "/a")) == .body(Array("fine".utf8)))
            let pausedUntil = http.schedule.withLock { $0.pausedUntil }
            // The rest of the minute that is running, which may be ending.
            #expect(pausedUntil != .min)
            #expect(pausedUntil <= MonotonicClock.nanoseconds() + 60_000_000_000)
        }
    }

    @Test(arguments: ["", "ftp://a", "nonsense", "http://"])
    func `an address that is none is refused by name`(_ address: String) {
        let error = #expect(throws: ConnectorError.self) {
            try VenueHTTP(rest: address, limits: Self.limits, proxy: nil, logger: Self.logger)
        }
        #expect(error?.code == .invalidEndpoint)
    }
}
