import Logging
import NIOCore
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

    /// Runs `body` against a server that gives these answers, one after the other and the last one for ever.
    private func with(
        _ answers: [(status: Int, headers: [WebSocketHeader], body: String)],
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
            rest: "http://127.0.0.1:\(listener.port)/", limits: Self.limits, proxy: nil, logger: Self.logger,
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
        let ban = (status: 418, headers: [WebSocketHeader("Retry-After", "3600")], body: "")
        let limits = Collector<VenueHTTP.Limit>()
        try await self.with([ban], onLimit: { limits.add($0) }) { http, _ in
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

    @Test func `a proxy is asked for the way to the venue, with its user`() async throws {
        let seen = Collector<String>()
        var configuration = WebSocketListenerConfiguration()
        configuration.port = 0
        let proxy = try await WebSocketListener.bind(
            configuration: configuration,
            onUpgrade: { _ in .refuse(.init(status: 400, message: "no", headers: [])) },
            onRequest: { request in
                let user = request.headers.first { $0.name.lowercased() == "proxy-authorization" }?.value
                seen.add("\(request.method) \(request.uri) \(user ?? "-")")
                return .init(status: 407, headers: [], body: ByteBuffer())
            })
        let http = try VenueHTTP(
            rest: "http://venue.example", limits: Self.limits, proxy: "http://me:secret@127.0.0.1:\(proxy.port)",
            logger: Self.logger)
        guard case .failure(nil, _) = await http.answer(to: VenueRequest(.instruments, .get, "/a")) else {
            Issue.record("an answer past a proxy that refuses")
            return
        }
        #expect(seen.values.first == "CONNECT venue.example:80 Basic bWU6c2VjcmV0")
        await http.shutdown()
        await proxy.close()
    }

    @Test(arguments: ["", "ftp://a", "nonsense", "http://"])
    func `an address that is none is refused by name`(_ address: String) {
        let error = #expect(throws: ConnectorError.self) {
            try VenueHTTP(rest: address, limits: Self.limits, proxy: nil, logger: Self.logger)
        }
        #expect(error?.code == .invalidEndpoint)
    }

    @Test func `Retry-After is read as seconds and as a date`() {
        #expect(VenueHTTP.seconds("12") == 12)
        #expect(VenueHTTP.seconds("-5") == 0)
        #expect(VenueHTTP.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 0)
        #expect(VenueHTTP.seconds("soon") == nil)
    }
}
