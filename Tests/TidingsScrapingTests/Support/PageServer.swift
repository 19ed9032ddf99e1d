import NIOCore
import NIOHTTP1
import NIOPosix
import Tidings

/// A small web server on loopback for one test.
final class PageServer: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var query: String
        var headers: HTTPHeaders
        var body: String
    }

    struct Reply: Sendable {
        var status = 200
        var headers: [(String, String)] = [("Content-Type", "text/html; charset=utf-8")]
        var body: [UInt8] = []
        /// Sends so many bytes more, without end in sight.
        var endless = false
        /// Answers nothing at all.
        var isSilent = false
        /// Closes the connection in the middle of the body.
        var breaks = false

        static func html(_ text: String, _ headers: [(String, String)] = []) -> Reply {
            var reply = Reply()
            reply.body = Array(text.utf8)
            reply.headers += headers
            return reply
        }

        static func redirect(_ status: Int, _ location: String, _ headers: [(String, String)] = []) -> Reply {
            Reply(status: status, headers: [("Location", location)] + headers)
        }
    }

    let port: Int
    private let channel: any Channel
    private let seen: Locked<[Request]>

    var requests: [Request] { self.seen.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(self.port)" }

    private init(_ channel: any Channel, _ seen: Locked<[Request]>) {
        self.channel = channel
        self.port = channel.localAddress?.port ?? 0
        self.seen = seen
    }

    static func with(
        _ answer: @escaping @Sendable (Request) -> Reply, _ body: (PageServer) async throws -> Void
    ) async throws {
        let seen = Locked<[Request]>([])
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { request in
                            seen.withLock { $0.append(request) }
                            return answer(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = PageServer(channel, seen)
        do {
            try await body(server)
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (Request) -> Reply
        private var head: HTTPRequestHead?
        private var body = ""

        init(_ answer: @escaping @Sendable (Request) -> Reply) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch self.unwrapInboundIn(data) {
            case .head(let head): (self.head, self.body) = (head, "")
            case .body(let part): self.body += String(buffer: part)
            case .end:
                guard let head = self.head else { return }
                let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
                let request = Request(
                    method: head.method.rawValue, path: parts[0], query: parts.count > 1 ? parts[1] : "",
                    headers: head.headers, body: self.body)
                self.write(self.answer(request), context)
            }
        }

        private func write(_ reply: Reply, _ context: ChannelHandlerContext) {
            guard !reply.isSilent else { return }
            var headers = HTTPHeaders(reply.headers)
            if reply.endless || reply.breaks {
                headers.replaceOrAdd(name: "Transfer-Encoding", value: "chunked")
            } else {
                headers.replaceOrAdd(name: "Content-Length", value: "\(reply.body.count)")
            }
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status), headers: headers)
            context.write(self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
            if reply.endless {
                self.writeMore(context)
            } else if reply.breaks {
                context.close(promise: nil)
            } else {
                context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        private func writeMore(_ context: ChannelHandlerContext) {
            let loop = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(repeating: 0x78, count: 65_536)))
            context.writeAndFlush(self.wrapOutboundOut(part)).whenSuccess {
                let (handler, context) = loop.value
                handler.writeMore(context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
