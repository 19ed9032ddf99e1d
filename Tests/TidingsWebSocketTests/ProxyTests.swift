import Testing
import TidingsTestSupport

@testable import TidingsWebSocket

@Suite(.timeLimit(.minutes(1))) struct ProxyTests {
    @Test func `a client goes through a proxy that knows it`() async throws {
        try await withListener { listener in
            try await withProxy { proxy in
                var configuration = WebSocketClientConfiguration()
                configuration.proxy = .init(host: "127.0.0.1", port: proxy.port, user: "me", password: "secret")
                let inbox = Inbox()
                let connection = try await WebSocketClient(configuration: configuration).connect(
                    to: "ws://127.0.0.1:\(listener.port)/", delegate: inbox.delegate)
                try connection.send(text: "through")
                #expect(await inbox.next() == "through")
                #expect(proxy.targets == ["127.0.0.1:\(listener.port)"])
                connection.abort()
            }
        }
    }

    @Test func `a proxy that refuses is an error with its status`() async throws {
        try await withProxy { proxy in
            var configuration = WebSocketClientConfiguration()
            configuration.proxy = .init(host: "127.0.0.1", port: proxy.port)
            let client = WebSocketClient(configuration: configuration)
            let error = await failure { () async throws(WebSocketError) in
                try await client.connect(to: "ws://example.com/", delegate: echo)
            }
            #expect(error?.code == .proxyFailed)
            #expect(error?.status == 407)
            #expect(error?.headers.first("proxy-authenticate") == "Basic")
        }
    }
}
