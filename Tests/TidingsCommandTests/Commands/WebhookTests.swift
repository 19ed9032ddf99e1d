import Foundation
import NIOCore
import Testing
import Tidings
import TidingsTestSupport
import TidingsWebSocket
import TidingsWebhooks

/// `tidings run` with a webhook, as a user configures it.
@Suite(.timeLimit(.minutes(2))) struct WebhookTests {
    @Test func `what was accepted before the end is still posted, signed, and nothing else`() async throws {
        let requests = Collector<WebSocketListener.Request>()
        let listener = try await WebSocketListener.bind(
            onUpgrade: { _ in .refuse(WebSocketHandshake.Refusal(status: 404)) },
            onRequest: { request in
                requests.add(request)
                return WebSocketListener.Response(status: 200, text: "thanks")
            })
        let folder = FileManager.default.temporaryDirectory.appending(path: "webhook-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".utf8).write(to: folder.appending(path: "hook.key"))
        let file = folder.appending(path: "tidings.yaml")
        try Data(
            """
            listen: 127.0.0.1:0
            store: {file: none}
            handlers:
              - webhook:
                  url: http://127.0.0.1:\(listener.port)/hook
                  types: [price_alert, login.failed]
                  secret: ${file:hook.key}
            """.utf8
        ).write(to: file)
        let program = try Program(["run", "--config", file.path])
        let server = try await program.address()
        let lines = ["price_alert", "trade", "login.failed", "login.success"].enumerated()
            .map { #"{"event_type":"\#($1)","event_id":"e\#($0)","payload":{"symbol":"BTC-USD"}}"# }
        let answer = try await request(
            "http://\(server)/api/v1/events", method: "POST", contentType: "application/x-ndjson",
            body: Data(lines.joined(separator: "\n").utf8))
        #expect(answer.status == 202)
        program.interrupt()
        #expect(await program.waitUntilEnded() == 0)
        await listener.close()

        let received = requests.values
        #expect(received.map { $0.headers.first("webhook-id") } == ["e0", "e2"])
        for request in received {
            try WebhookSignature.verify(
                id: request.headers.first("webhook-id"), timestamp: request.headers.first("webhook-timestamp"),
                signature: request.headers.first("webhook-signature"), body: request.body.readableBytesView,
                secrets: [try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
        }
    }
}
