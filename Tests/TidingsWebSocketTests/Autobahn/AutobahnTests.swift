import NIOCore
import Testing

@testable import TidingsWebSocket

/// Autobahn's cases against our server and our client, which share one session. About 20 s each; with `TIDINGS_LONG=1`
/// those of large messages and of compression as well, some minutes.
@Suite(.serialized)
struct AutobahnTests {
    @Test(.enabled("the Autobahn test suite cannot be installed here") { AutobahnSuite.installed != nil })
    func `our server passes Autobahn's cases`() async throws {
        let suite = try #require(AutobahnSuite.installed)
        var configuration = WebSocketListenerConfiguration()
        configuration.deflate = WebSocketDeflateOptions()
        configuration.options.maximumPendingBytes = 64 << 20
        try await withListener(configuration) { listener in
            Self.judge(try await suite.test(server: "ws://127.0.0.1:\(listener.port)"))
        }
    }

    @Test(.enabled("the Autobahn test suite cannot be installed here") { AutobahnSuite.installed != nil })
    func `our client passes Autobahn's cases`() async throws {
        let suite = try #require(AutobahnSuite.installed)
        var configuration = WebSocketClientConfiguration()
        configuration.deflate = WebSocketDeflateOptions()
        configuration.options.maximumPendingBytes = 64 << 20
        let client = WebSocketClient(configuration: configuration)
        let port = try await Self.freePort()
        let verdicts = try await suite.test(onPort: port) { url in
            let count = try #require(Int(try await Self.ask(client, "\(url)/getCaseCount")))
            for number in 1...count {
                let connection = try await client.connect(
                    to: "\(url)/runCase?case=\(number)&agent=tidings", delegate: echo)
                _ = await connection.waitUntilClosed()
            }
            _ = try await Self.ask(client, "\(url)/updateReports?agent=tidings")
        }
        Self.judge(verdicts)
    }

    private static func judge(_ verdicts: [AutobahnSuite.Verdict]) {
        let bad = verdicts.filter { !$0.isGood }.map { "\($0.number): \($0.behavior), close \($0.close)" }
        #expect(bad.sorted() == [])
        #expect(verdicts.count >= 250)
        let strict = verdicts.count { $0.behavior == "OK" }
        print("Autobahn: \(verdicts.count) cases, \(strict) OK, \(verdicts.count - strict) non-strict or informational")
    }

    /// The text that is sent behind a path, if any; waits for the suite to listen.
    private static func ask(_ client: WebSocketClient, _ url: String) async throws -> String {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(30)
        while true {
            let inbox = Inbox()
            do throws(WebSocketError) {
                let connection = try await client.connect(to: url, delegate: inbox.delegate)
                _ = await connection.waitUntilClosed()
                return await inbox.next() ?? ""
            } catch {
                guard clock.now < end else { throw error }
                // Nothing tells when another program has begun to listen: it is asked again.
                try await clock.sleep(for: .milliseconds(100))
            }
        }
    }

    private static func freePort() async throws -> Int {
        let listener = try await WebSocketListener.bind(onUpgrade: { _ in .accept(delegate: echo) })
        let port = listener.port
        await listener.close()
        return port
    }
}
