internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression
internal import NIOPosix
internal import Tidings

/// Opens pages over plain HTTP: the connections that they share.
///
/// Safe to use from any thread. Call ``shutdown()`` when the last page is done with.
///
///     let pages = HTTPPages()
///     let page = pages.open()
///     try await page.navigate(to: "https://example.com/")
///     print(try await page.document().title ?? "")
///     try await pages.shutdown()
public final class HTTPPages: Sendable {
    let configuration: HTTPPageConfiguration
    private let client: HTTPClient

    public init(_ configuration: HTTPPageConfiguration = HTTPPageConfiguration()) {
        self.configuration = configuration
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.client(configuration))
    }

    private static func client(_ configuration: HTTPPageConfiguration) -> HTTPClient.Configuration {
        // Redirects are followed here and not there: each of them may set cookies, and each has to be looked at.
        var client = HTTPClient.Configuration(
            redirectConfiguration: .disallow, decompression: .enabled(limit: .size(configuration.maximumBody)))
        client.timeout.connect = TimeAmount(configuration.connectTimeout)
        // A refused connection is told of at once: when to try again is the workflow's business.
        client.connectionPool.retryConnectionEstablishment = false
        // Spans would carry the address, and with it what may be secret.
        client.tracing.tracer = nil
        if !configuration.allowsPrivateAddresses {
            // The name was resolved by whoever connected; what counts is who is at the other end.
            client.http1_1ConnectionDebugInitializer = Self.refusePrivate
            client.http2ConnectionDebugInitializer = Self.refusePrivate
        }
        return client
    }

    @Sendable private static func refusePrivate(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let text = channel.remoteAddress?.ipAddress, let address = NetworkAddress(text), !address.isPrivate else {
            let shown = channel.remoteAddress?.ipAddress ?? "nobody knows whom"
            return channel.eventLoop.makeFailedFuture(Self.privateAddress(shown))
        }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    private static func privateAddress(_ text: String) -> PageError {
        PageError(.privateAddress, "\(text) is a private address, and those are not allowed here")
    }

    /// A page of its own, without cookies.
    public func open() -> HTTPPage { HTTPPage(self) }

    /// Closes the connections; requests under way fail.
    public func shutdown() async throws(PageError) {
        do {
            try await self.client.shutdown()
        } catch {
            throw PageError(.closed, "the connections were closed already")
        }
    }

    // MARK: One request

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: [UInt8]
    }

    /// Sends one request and reads its whole answer.
    func send(
        _ method: HTTPMethod, _ address: PageAddress, _ headers: HTTPHeaders, body: [UInt8]?, within time: Duration
    ) async throws(PageError) -> Answer {
        if !self.configuration.allowsPrivateAddresses, let number = NetworkAddress(address.host), number.isPrivate {
            throw Self.privateAddress(address.host)
        }
        var request = HTTPClientRequest(url: address.text)
        request.method = method
        request.headers = headers
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let (client, limit) = (self.client, self.configuration.maximumBody)
        do {
            return try await withTimeLimit(time) { [request] in
                let response = try await client.execute(request, timeout: TimeAmount(time))
                var bytes: [UInt8] = []
                for try await part in response.body {
                    guard bytes.count + part.readableBytes <= limit else { throw Self.tooLarge(limit) }
                    bytes.append(contentsOf: part.readableBytesView)
                }
                return Answer(status: Int(response.status.code), headers: response.headers, body: bytes)
            }
        } catch {
            throw Self.pageError(error, address, time, limit)
        }
    }

    private static func tooLarge(_ limit: Int) -> PageError {
        PageError(.bodyTooLarge, "the body has more than \(limit) bytes")
    }

    private static func pageError(
        _ error: any Error, _ address: PageAddress, _ time: Duration, _ limit: Int
    ) -> PageError {
        switch error {
        case let error as PageError: return error
        case is TimeLimitExceeded: return PageError(.timeout, "\(address.origin): no whole answer in time")
        case is CancellationError: return PageError(.closed, "\(address.origin): the request was cancelled")
        case is NIOHTTPDecompression.DecompressionError: return Self.tooLarge(limit)
        case let error as HTTPClientError:
            switch error {
            case .deadlineExceeded, .readTimeout, .writeTimeout, .connectTimeout, .getConnectionFromPoolTimeout,
                .tlsHandshakeTimeout:
                return PageError(.timeout, "\(address.origin): no whole answer in time")
            case .cancelled: return PageError(.closed, "\(address.origin): the request was cancelled")
            case .alreadyShutdown: return PageError(.closed, "the connections are closed")
            default: return PageError(.connection, "\(address.origin): \(error.shortDescription)")
            }
        default: return PageError(.connection, "\(address.origin): \(error)")
        }
    }
}
