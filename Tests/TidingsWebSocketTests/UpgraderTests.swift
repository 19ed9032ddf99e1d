import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import TidingsWebSocket

/// The way the gateway goes: NIO's typed upgrade with our upgrader and handler.
@Suite(.timeLimit(.minutes(1))) struct UpgraderTests {
    private static func server() async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = WebSocketServerUpgrader<Bool>(
                        deflate: .init(),
                        decide: { channel, head in
                            let allowed = head.uri == "/ws"
                            return channel.eventLoop.makeSucceededFuture(
                                allowed
                                    ? .success(.init(headers: [.init("X-Node", "1")])) : .failure(.init(status: 403)))
                        },
                        upgraded: { channel, handshake in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(
                                    WebSocketChannelHandler(role: .server, handshake: handshake, makeDelegate: echo))
                                return true
                            }
                        })
                    let configuration = NIOUpgradableHTTPServerPipelineConfiguration(
                        upgradeConfiguration: .init(
                            upgraders: [upgrader],
                            notUpgradingCompletionHandler: { channel in
                                let status = HTTPResponseStatus(statusCode: upgrader.refusal?.status ?? 404)
                                let head = HTTPResponseHead(version: .http1_1, status: status)
                                channel.write(HTTPServerResponsePart.head(head), promise: nil)
                                return channel.writeAndFlush(HTTPServerResponsePart.end(nil)).map { false }
                            }))
                    _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
                        configuration: configuration)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    @Test func `frames right behind the request for the upgrade are not lost`() async throws {
        let server = try await Self.server()
        let client = try await RawClient(port: server.localAddress?.port ?? 0)
        try await client.send(Array(ListenerHTTPTests.upgrade.utf8) + frame(.text, "first|") + frame(.text, "second|"))
        let answer = await client.read(until: "second|")
        #expect(answer.hasPrefix("HTTP/1.1 101 "))
        #expect(answer.contains("first|"))
        try await client.close()
        try await server.close()
    }

    @Test func `our upgrader works in NIO's pipeline`() async throws {
        let server = try await Self.server()
        let port = server.localAddress?.port ?? 0
        var configuration = WebSocketClientConfiguration()
        configuration.deflate = .init()
        let client = WebSocketClient(configuration: configuration)
        let inbox = Inbox()
        let connection = try await client.connect(to: "ws://127.0.0.1:\(port)/ws", delegate: inbox.delegate)
        #expect(connection.handshake.headers.first("x-node") == "1")
        #expect(connection.handshake.deflate != nil)
        let text = String(repeating: "again ", count: 1000)
        try connection.send(text: text)
        #expect(await inbox.next() == text)
        connection.close()
        #expect(await connection.waitUntilClosed().isClean)

        let error = await failure { () async throws(WebSocketError) in
            try await client.connect(to: "ws://127.0.0.1:\(port)/other", delegate: echo)
        }
        #expect(error?.status == 403)
        try await server.close()
    }
}
