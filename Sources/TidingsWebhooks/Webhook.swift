internal import AsyncHTTPClient
public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import Tidings

/// Posts events to an address, one request for each.
///
/// 2xx is delivered. No answer, 408, 425, 429 and 5xx are worth another attempt, after what `Retry-After` asks for;
/// everything else, redirects included, is not. Attempts, pauses and dead letters are the bus's. A receiver may get an
/// event twice (its answer was lost): the id is the same then.
///
/// Safe to use from any thread. Call ``shutdown()`` when the bus has stopped; a webhook that was made has to be shut
/// down.
public final class Webhook: Sendable {
    /// What it is called in logs, counters and dead letters.
    public let name: String
    private let configuration: WebhookConfiguration
    private let endpoint: WebhookEndpoint
    private let headers: HTTPHeaders
    private let scrubber: Scrubber
    private let client: HTTPClient
    private let logger: Logger

    /// How much of an answer is read, and how much of that is shown.
    private static let longestAnswer = 4096
    private static let longestExcerpt = 200
    private static let longestReading = Duration.seconds(2)

    public init(
        _ configuration: WebhookConfiguration, logger: Logger = Logger(label: "tidings.webhook")
    ) throws(WebhookConfigurationError) {
        let checked = try configuration.checked()
        self.configuration = configuration
        self.endpoint = checked.endpoint
        self.headers = checked.headers
        self.name = configuration.name ?? configuration.defaultName
        self.scrubber = Scrubber(checked.endpoint.secrets + configuration.headers.map(\.value))
        var logger = logger
        logger[metadataKey: LogKey.subscriber] = .string(self.name)
        logger[metadataKey: LogKey.address] = .string(checked.endpoint.origin)
        self.logger = logger
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.client(configuration))
    }

    private static func client(_ configuration: WebhookConfiguration) -> HTTPClient.Configuration {
        var client = HTTPClient.Configuration(redirectConfiguration: .disallow)
        client.timeout.connect = TimeAmount(configuration.timeout)
        // A refused connection is told of at once: when to try again is the bus's business.
        client.connectionPool.retryConnectionEstablishment = false
        // Spans would carry the URL, and with it what is secret.
        client.tracing.tracer = nil
        return client
    }

    // MARK: Bus

    /// Posts every matching event of a bus from now on.
    @discardableResult
    public func attach(to bus: some EventBus) throws(EventBusError) -> Subscription {
        try bus.addHandler(to: self.configuration.filter, options: self.subscriptionOptions) { event in
            try await self.deliver(event)
        }
    }

    /// Posts every matching event of a bus's log from now on, also those that were accepted while the process was down or
    /// that it had not posted when it ended: none is dropped because the receiver is slow, and some may come twice.
    ///
    /// - Parameter origin: where to begin the first time that a webhook of this name is attached to this log.
    @discardableResult
    public func attachDurably(
        to bus: MemoryEventBus, from origin: DurableOrigin = .now
    ) throws(EventBusError) -> Subscription {
        try bus.addDurableHandler(
            to: self.configuration.filter, options: self.subscriptionOptions, from: origin
        ) { event in
            try await self.deliver(event)
        }
    }

    /// How its subscription queues and retries.
    public var subscriptionOptions: SubscriptionOptions {
        let concurrency: SubscriptionOptions.Concurrency =
            switch self.configuration.concurrency {
            case .serial: .serial
            case .perSymbol(let count): .keyed(count, by: .symbol)
            }
        return SubscriptionOptions(
            name: self.name, capacity: self.configuration.capacity, overflow: .dropOldest,
            // Our own limit comes first, and says more.
            deadline: self.configuration.timeout + .seconds(5), concurrency: concurrency,
            retry: self.configuration.retry)
    }

    /// Ends what is under way and closes the connections; from here on every delivery fails at once, as `stopped`. Call it
    /// when the bus has stopped, or takes too long to; a second call does nothing.
    public func shutdown() async {
        do {
            try await self.client.shutdown()
        } catch let error as HTTPClientError where error == .alreadyShutdown {
            // Done before.
        } catch {
            self.logger.info("webhook did not shut down", metadata: [LogKey.error: "\(error)"])
        }
    }

    // MARK: One request

    /// Posts one event and returns when the receiver has taken it; once, without retries.
    public func deliver(_ event: StandardEvent) async throws {
        if self.isOwnFailure(event) { return }
        do {
            try await self.post(event)
        } catch let error as WebhookError {
            self.logger.log(
                // Stopping is nobody's failure.
                level: error.code == .stopped ? .debug : .info, "webhook was not delivered",
                metadata: [
                    LogKey.eventID: "\(event.eventID)", LogKey.eventType: "\(event.eventType.rawValue)",
                    LogKey.error: "\(error)",
                ])
            throw error
        }
    }

    /// Whether an event tells of this webhook having failed: posting that would fail too, and be told of, without end.
    private func isOwnFailure(_ event: StandardEvent) -> Bool {
        event.eventType == .error && event.payload["details"]?.object?["subscriber"]?.string == self.name
    }

    private func post(_ event: StandardEvent) async throws {
        let body = WebhookMessage(format: self.configuration.format).body(for: event)
        var request = HTTPClientRequest(url: self.endpoint.url)
        request.method = .POST
        request.headers = self.headers
        let id = WebhookID.header(for: event.eventID)
        let timestamp = Timestamp.now().nanoseconds / 1_000_000_000
        request.headers.add(name: WebhookSignature.idHeader, value: id)
        request.headers.add(name: WebhookSignature.timestampHeader, value: "\(timestamp)")
        if let secret = self.configuration.secret {
            let signature = WebhookSignature.sign(
                id: id, timestamp: timestamp, body: body.readableBytesView, secret: secret)
            request.headers.add(name: WebhookSignature.signatureHeader, value: signature)
        }
        request.body = .bytes(body)
        let answer = try await self.execute(request)
        guard !(200...299).contains(answer.status) else { return }
        var message = "\(self.endpoint.origin) answered \(answer.status)"
        if !answer.excerpt.isEmpty { message += ": \(answer.excerpt)" }
        throw WebhookError(.status, message, status: answer.status, retryAfter: answer.retryAfter)
    }

    private struct Answer: Sendable {
        var status: Int
        var retryAfter: Duration?
        var excerpt: String
    }

    private func execute(_ request: HTTPClientRequest) async throws -> Answer {
        let response: HTTPClientResponse
        do {
            response = try await self.client.execute(request, timeout: TimeAmount(self.configuration.timeout))
        } catch {
            // Where it was the bus that cancelled the call, that is the error.
            try Task.checkCancellation()
            throw self.failure(error)
        }
        return Answer(
            status: Int(response.status.code),
            retryAfter: response.headers.first(name: "retry-after").flatMap { RetryAfter.parse($0, now: .now()) },
            excerpt: try await self.excerpt(of: response.body))
    }

    /// The beginning of a body, fit to be shown. However the body ends, the verdict is in the status: one that breaks or
    /// takes too long is as good as an empty one.
    private func excerpt(of body: HTTPClientResponse.Body) async throws -> String {
        do {
            let bytes = try await withTimeLimit(Self.longestReading) {
                var bytes = ByteBuffer()
                // Read to its end, a short body lets the connection be used again; of a long one the beginning will do.
                for try await part in body {
                    bytes.writeImmutableBuffer(part)
                    if bytes.readableBytes > Self.longestAnswer { break }
                }
                return bytes
            }
            let text = String(decoding: bytes.readableBytesView.prefix(Self.longestAnswer), as: UTF8.self)
            return self.scrubber.line(
                text, isCut: bytes.readableBytes > Self.longestAnswer, limit: Self.longestExcerpt)
        } catch {
            try Task.checkCancellation()
            return ""
        }
    }

    // MARK: Errors

    private func failure(_ error: any Error) -> WebhookError {
        let origin = self.endpoint.origin
        switch error as? HTTPClientError {
        case .alreadyShutdown, .cancelled:
            return WebhookError(.stopped, "the webhook to \(origin) is shut down")
        case .deadlineExceeded, .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
            return WebhookError(.timeout, "\(origin) did not answer within \(self.configuration.timeout)")
        default:
            let reason = self.scrubber.line(Self.reason(error), limit: Self.longestExcerpt)
            return WebhookError(.connection, "\(origin) cannot be reached: \(reason)")
        }
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError { return error.shortDescription.lowercased() }
        if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty {
            return "its name cannot be resolved"
        }
        let text = "\(error)"
        return text.contains("onnection refused") ? "connection refused" : text
    }
}
