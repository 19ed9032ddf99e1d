import Foundation
import NIOCore
import NIOPosix
import Testing
import Tidings
import TidingsTestSupport
import TidingsWebSocket
import TidingsWebhooks

/// One request at a time, against a real server.
@Suite(.timeLimit(.minutes(1))) struct WebhookDeliveryTests {
    @Test func `an event arrives as its JSON, signed`() async throws {
        try await Receiver.with { receiver in
            let secret = try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            let event = StandardEvent.alert(7)
            let configuration = WebhookConfiguration(
                url: receiver.url + "?team=ops", secret: secret,
                headers: [WebhookConfiguration.Header("X-Team", "ops")])
            try await withWebhook(configuration) { try await $0.deliver(event) }
            let request = try #require(receiver.requests.values.first)
            #expect(request.method == "POST")
            #expect(request.uri == "/hooks/kept-to-ourselves?team=ops")
            #expect(request.text == event.json)
            #expect(request.text.contains("50000.0"))
            #expect(request.header("content-type") == "application/json")
            #expect(request.header("x-team") == "ops")
            #expect(request.header("webhook-id") == event.eventID.description)
            #expect(request.header("authorization") == nil)
            try WebhookSignature.verify(
                id: request.header("webhook-id"), timestamp: request.header("webhook-timestamp"),
                signature: request.header("webhook-signature"), body: request.body.readableBytesView,
                secrets: [secret])
        }
    }

    @Test func `without a secret there is an id and no signature`() async throws {
        try await Receiver.with { receiver in
            try await withWebhook(WebhookConfiguration(url: receiver.url)) { try await $0.deliver(.alert()) }
            let request = try #require(receiver.requests.values.first)
            #expect(request.header("webhook-id") != nil)
            #expect(request.header("webhook-signature") == nil)
        }
    }

    @Test func `a foreign id that no header can carry is encoded and signed so`() async throws {
        try await Receiver.with { receiver in
            let secret = try WebhookSecret("s3cret")
            var event = StandardEvent.alert()
            event.eventID = try #require(EventID("é\r\nX-Evil: 1 %"))
            let configuration = WebhookConfiguration(url: receiver.url, secret: secret)
            try await withWebhook(configuration) { try await $0.deliver(event) }
            let request = try #require(receiver.requests.values.first)
            #expect(request.header("webhook-id") == "%c3%a9%0d%0aX-Evil:%201%20%25")
            #expect(request.header("x-evil") == nil)
            try WebhookSignature.verify(
                id: request.header("webhook-id"), timestamp: request.header("webhook-timestamp"),
                signature: request.header("webhook-signature"), body: request.body.readableBytesView,
                secrets: [secret])
        }
    }

    @Test func `credentials of the address become a header`() async throws {
        try await Receiver.with { receiver in
            let url = "http://ann:s%2Fcret-word@127.0.0.1:\(receiver.port)/x"
            try await withWebhook(WebhookConfiguration(url: url)) { try await $0.deliver(.alert()) }
            let request = try #require(receiver.requests.values.first)
            let expected = Data("ann:s/cret-word".utf8).base64EncodedString()
            #expect(request.header("authorization") == "Basic \(expected)")
            #expect(request.uri == "/x")
        }
    }

    @Test(arguments: [200, 201, 202, 204, 299])
    func `2xx is delivered`(status: Int) async throws {
        try await Receiver.with(answer: { _, _ in .init(status: status) }) { receiver in
            try await withWebhook(WebhookConfiguration(url: receiver.url)) { try await $0.deliver(.alert()) }
        }
    }

    @Test(arguments: [
        (408, true), (425, true), (429, true), (500, true), (502, true), (503, true), (504, true), (599, true),
        (400, false), (401, false), (403, false), (404, false), (410, false), (413, false), (301, false), (302, false),
        (307, false), (304, false),
    ])
    func `a status says whether another attempt makes sense`(status: Int, isRetryable: Bool) async throws {
        try await Receiver.with(
            answer: { _, _ in .init(status: status, headers: [WebSocketHeader("Location", "/elsewhere")]) }
        ) { receiver in
            let error = await failure {
                try await withWebhook(WebhookConfiguration(url: receiver.url)) { try await $0.deliver(.alert()) }
            }
            let found = try #require(error as? WebhookError)
            #expect(found.status == status)
            #expect(found.isRetryable == isRetryable)
            #expect(found.message.contains("\(status)"))
            // Redirects are not followed.
            #expect(receiver.requests.values.count == 1)
        }
    }

    @Test func `Retry-After is passed on, as seconds and as a date`() async throws {
        let date = "Fri, 01 Jan 2100 00:00:00 GMT"
        for (value, range) in [
            ("7", Duration.seconds(7)...Duration.seconds(7)),
            (date, Duration.seconds(366 * 86_400)...Duration.seconds(366 * 86_400)),
        ] {
            try await Receiver.with(
                answer: { _, _ in .init(status: 503, headers: [WebSocketHeader("Retry-After", value)]) }
            ) { receiver in
                let error = await failure {
                    try await withWebhook(WebhookConfiguration(url: receiver.url)) { try await $0.deliver(.alert()) }
                }
                let wait = try #require((error as? WebhookError)?.retryAfter)
                #expect(range.contains(wait))
            }
        }
    }

    @Test func `who does not answer in time is told of`() async throws {
        let gate = Gate()
        try await Receiver.with(
            answer: { _, _ in
                await gate.wait()
                return .init(status: 204)
            },
            { receiver in
                let configuration = WebhookConfiguration(url: receiver.url, timeout: .milliseconds(200))
                let error = await failure { try await withWebhook(configuration) { try await $0.deliver(.alert()) } }
                gate.open()
                let found = try #require(error as? WebhookError)
                #expect(found.code == .timeout)
                #expect(found.isRetryable)
                #expect(found.message == "http://127.0.0.1:\(receiver.port) did not answer within 0.2 seconds")
            })
    }

    @Test func `a refused connection is told of at once`() async throws {
        let port = try await Receiver.closedPort()
        let started = ContinuousClock.now
        let error = await failure {
            try await withWebhook(WebhookConfiguration(url: "http://127.0.0.1:\(port)/x", timeout: .seconds(30))) {
                try await $0.deliver(.alert())
            }
        }
        let found = try #require(error as? WebhookError)
        #expect(found.code == .connection)
        #expect(found.isRetryable)
        #expect(found.message == "http://127.0.0.1:\(port) cannot be reached: connection refused")
        #expect(started.duration(to: .now) < .seconds(20))
    }

    @Test func `a cancelled call ends as cancelled`() async throws {
        let gate = Gate()
        try await Receiver.with(
            answer: { _, _ in
                await gate.wait()
                return .init(status: 204)
            },
            { receiver in
                try await withWebhook(WebhookConfiguration(url: receiver.url)) { webhook in
                    let error = await withTaskGroup(of: (any Error)?.self) { group in
                        group.addTask { await failure { try await webhook.deliver(.alert()) } }
                        _ = await receiver.requests.wait(for: 1)
                        group.cancelAll()
                        return await group.next() ?? nil
                    }
                    #expect(error is CancellationError)
                }
                gate.open()
            })
    }

    @Test func `of a long answer the beginning is shown, on one line`() async throws {
        let body = "first\r\n\u{1B}[31msecond " + String(repeating: "x", count: 1 << 20)
        try await Receiver.with(answer: { _, _ in .init(status: 500, text: body) }) { receiver in
            let error = await failure {
                try await withWebhook(WebhookConfiguration(url: receiver.url)) { try await $0.deliver(.alert()) }
            }
            let message = try #require((error as? WebhookError)?.message)
            #expect(message.hasPrefix("http://127.0.0.1:\(receiver.port) answered 500: first [31msecond xxx"))
            #expect(message.count < 300)
        }
    }

    @Test func `no secret is in an error, even when the receiver sends it back`() async throws {
        let answer: @Sendable (Int, Receiver.Request) async -> Receiver.Response = { _, request in
            let headers = request.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            return .init(status: 400, text: "not here: \(request.uri)\n\(headers)")
        }
        try await Receiver.with(answer: answer) { receiver in
            let url = "http://ann:hidden-word@127.0.0.1:\(receiver.port)/services/hidden-path?key=hidden-query"
            let configuration = WebhookConfiguration(
                url: url, secret: try WebhookSecret("hidden-secret"),
                headers: [WebhookConfiguration.Header("X-Key", "hidden-header")])
            let error = await failure { try await withWebhook(configuration) { try await $0.deliver(.alert()) } }
            let text = "\(try #require(error))"
            #expect(text.contains("answered 400: not here: [redacted]"))
            #expect(!text.contains("hidden"))
            #expect(!text.contains(Data("ann:hidden-word".utf8).base64EncodedString()))
        }
    }

    /// What is read of an answer may end in the middle of a secret, and what is left out before it may bring that into
    /// view.
    @Test func `a secret cut in two by the end of what is read is not shown either`() async throws {
        let secret = "hidden-" + String(repeating: "abcdefgh", count: 50)
        let answer = String(repeating: secret, count: 40)
        try await Receiver.with(answer: { _, _ in .init(status: 400, text: answer) }) { receiver in
            let configuration = WebhookConfiguration(
                url: receiver.url, headers: [WebhookConfiguration.Header("X-Key", secret)])
            let error = await failure { try await withWebhook(configuration) { try await $0.deliver(.alert()) } }
            let text = "\(try #require(error))"
            #expect(text.contains("[redacted][redacted]"))
            #expect(!text.contains("hidden"))
        }
    }

    @Test func `a body that never ends does not hold up the verdict`() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        HalfAnswer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        try await withWebhook(WebhookConfiguration(url: "http://127.0.0.1:\(port)/x", timeout: .seconds(30))) {
            try await $0.deliver(.alert())
        }
        try await server.close()
    }

    @Test func `Slack gets a line of text without mentions or links`() async throws {
        try await Receiver.with { receiver in
            var event = StandardEvent.alert()
            event.payload = ["symbol": "BTC-USD", "note": "<!channel> a & b\n<http://evil.example|bank>"]
            let configuration = WebhookConfiguration(url: receiver.url, format: .slack)
            try await withWebhook(configuration) { try await $0.deliver(event) }
            let body = try JSONObject(json: try #require(receiver.requests.values.first).text)
            let text = try #require(body["text"]?.string)
            #expect(text.hasPrefix("price_alert BTC-USD: note=&lt;!channel&gt; a &amp; b &lt;http://evil.example|bank"))
            #expect(text.hasSuffix("bank&gt; (alerts, \(event.timestamp))"))
            #expect(!text.contains("<"))
            #expect(body["mrkdwn"]?.bool == false)
        }
    }

    @Test func `Discord gets a line of text that calls nobody and fits`() async throws {
        try await Receiver.with { receiver in
            var event = StandardEvent.alert()
            event.payload = ["note": .string("@everyone **" + String(repeating: "_👨‍👩‍👧", count: 5000))]
            let configuration = WebhookConfiguration(url: receiver.url, format: .discord)
            try await withWebhook(configuration) { try await $0.deliver(event) }
            let body = try JSONObject(json: try #require(receiver.requests.values.first).text)
            let text = try #require(body["content"]?.string)
            #expect(text.hasPrefix(#"price\_alert: note=@everyone \*\*\_"#))
            #expect(text.utf16.count <= 2000)
            #expect(body["allowed_mentions"]?.object?["parse"]?.array == [])
        }
    }

    @Test func `a webhook that is shut down says so`() async throws {
        try await Receiver.with { receiver in
            let webhook = try Webhook(WebhookConfiguration(url: receiver.url))
            await webhook.shutdown()
            let error = await failure { try await webhook.deliver(.alert()) }
            #expect((error as? WebhookError)?.code == .stopped)
        }
    }
}

/// Answers whatever comes with a text that promises more than it holds.
private final class HalfAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let text: String

    init(_ text: String) {
        self.text = text
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: self.text)), promise: nil)
    }
}
