import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import Tidings
import TidingsWebSocket

/// A connection to the gateway: HTTP or, on the same port, a WebSocket.
struct GatewayChannel: ServerChildChannel, HTTPChannelHandler {
    /// What every connection needs to know.
    struct Settings: Sendable {
        let feed: StreamFeed
        let ingest: EventIngest
        let access: AccessControl
        let origins: OriginPolicy
        let hosts: HostPolicy
        let limits: GatewayConfiguration.Limits
        let webSocketOptions: WebSocketOptions
        let compression: GatewayConfiguration.Compression
        let connections: ConnectionSettings
    }

    /// A connection whose first request may not have come yet.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let outcome: EventLoopFuture<FirstRequestHandler.Outcome>
    }

    static let webSocketPath = "/ws"

    let settings: Settings
    let responder: HTTPChannelHandler.Responder

    init(settings: Settings, router: HTTPRouter) {
        self.settings = settings
        let connections = settings.connections
        self.responder = { request, writer, channel in
            var response: Response
            if let problem = connections.refusal(ofRequestFrom: channel) {
                response = problem.response
                Self.finish(&response, to: request, router)
                try await writer.write(response: response.head, body: response.body)
                return
            }
            switch router.admit(request, on: channel) {
            case .success(let admission):
                if admission.takesBody, request.headers[.expect]?.lowercased() == "100-continue",
                    Self.isWelcome(request, settings.limits)
                {
                    try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                }
                response = try await router.respond(to: admission)
            case .failure(let problem):
                response = problem.response
                // Nobody reads the body of who is turned away.
                if Self.hasBody(request) { response.headers[.connection] = "close" }
            }
            Self.finish(&response, to: request, router)
            try await writer.write(response: response.head, body: response.body)
        }
    }

    private static func finish(_ response: inout Response, to request: Request, _ router: HTTPRouter) {
        response.headers[.date] = HTTPDate.now()
        router.finish(&response, to: request)
        // An answer to HEAD ends with its head (RFC 9110 9.3.2), also when it tells of a problem.
        if request.method == .head { response = response.createHeadResponse() }
    }

    private static func hasBody(_ request: Request) -> Bool {
        request.headers[.transferEncoding] != nil || (request.headers[.contentLength] ?? "0") != "0"
    }

    /// Whether a body that was announced should be sent at all.
    private static func isWelcome(_ request: Request, _ limits: GatewayConfiguration.Limits) -> Bool {
        guard let length = request.headers[.contentLength].flatMap({ Int($0) }) else { return true }
        return IngestRoute.isLines(MediaType(request.headers[.contentType] ?? "").essence) || length <= limits.bodyBytes
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard try self.settings.connections.admit(channel) else {
                return Value(channel: channel, outcome: channel.eventLoop.makeSucceededFuture(.over))
            }
            let outcome = try FirstRequestHandler.install(on: channel, settings: self.settings, logger: logger)
            return Value(channel: channel, outcome: outcome)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            guard let outcome = try? await value.outcome.get() else { return }
            switch outcome {
            case .http(let channel): await self.handleHTTP(asyncChannel: channel, logger: logger)
            case .webSocket(let connection): _ = await connection.waitUntilClosed()
            case .over: _ = try? await value.channel.closeFuture.get()
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}
