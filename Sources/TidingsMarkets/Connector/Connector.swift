public import Logging
import NIOCore
public import Tidings
import TidingsWebSocket

/// Collects from one venue and publishes to a bus, for as long as it runs.
///
/// Comes back by itself when the connection breaks, a venue asks for patience (HTTP 418 and 429 with `Retry-After`), or a
/// symbol falls silent; every change of state is a `connector_status` event. Events have deterministic ids, so what a venue
/// repeats after a reconnect is recognised as known by the bus and its log.
public final class Connector: Sendable {
    public let configuration: ConnectorConfiguration
    private let endpoint: WebSocketURL
    private let feed: Feed
    private let bus: any EventBus
    private let tell: ConnectorEvents
    private let client: WebSocketClient
    private let logger: Logger

    /// - Throws: when the venue, a symbol or the endpoint makes no sense.
    public init(
        _ configuration: ConnectorConfiguration, bus: any EventBus,
        logger: Logger = Logger(label: "tidings.connector")
    ) throws(ConnectorError) {
        let venue = try Venues.named(configuration.venue)
        let instruments = try venue.instruments(named: configuration.symbols)
        let plan = FeedPlan(instruments: instruments, channels: configuration.channels)
        let endpoint = configuration.endpoint ?? venue.endpoint
        do throws(WebSocketError) {
            self.endpoint = try WebSocketURL(endpoint)
        } catch {
            throw ConnectorError(.invalidEndpoint, "'\(endpoint)' is no WebSocket address: \(error.message)")
        }
        var configuration = configuration
        configuration.venue = venue.name
        self.configuration = configuration
        self.bus = bus
        self.tell = ConnectorEvents(source: Name(venue.name))
        self.client = WebSocketClient()
        var logger = logger
        logger[metadataKey: LogKey.connector] = "\(venue.name)"
        self.logger = logger
        self.feed = Feed(
            session: venue.makeSession(plan), streams: plan.streams,
            symbols: instruments.map { Name($0.symbol) },
            watched: configuration.channels.contains { $0 == .orderBook || $0 == .ticker },
            configuration: configuration, bus: bus, logger: logger)
    }

    /// How it is doing; safe to ask from any thread.
    public var health: ConnectorHealth { self.feed.health }

    /// Collects until the task is cancelled or the bus has stopped. Called once.
    public func run() async {
        var backoff = Backoff()
        var hasBeenOpen = false
        while !Task.isCancelled {
            self.add(.connecting)
            let began = ContinuousClock.now
            let failure = await self.connectOnce(isFirst: !hasBeenOpen)
            if failure.hasBeenOpen { hasBeenOpen = true }
            if Task.isCancelled || failure.isBusStopped { break }
            backoff.connectionEnded(after: ContinuousClock.now - began)
            let delay = backoff.nextDelay(chance: .random(in: 0..<1), atLeast: failure.retryAfter)
            self.feed.add(self.tell.error(failure.code, failure.reason, failure.details))
            self.feed.add(
                self.tell.status(.reconnecting, reason: failure.reason, attempt: backoff.attempt, retryIn: delay),
                state: .reconnecting, reason: failure.reason)
            _ = self.feed.flush()
            self.logger.info(
                "Connection lost",
                metadata: [LogKey.reason: "\(failure.reason)", LogKey.attempt: "\(backoff.attempt)"])
            do {
                try await Task.sleep(for: delay)
            } catch {
                break
            }
        }
        self.add(.stopped)
    }

    private func add(_ state: ConnectorState) {
        self.feed.add(self.tell.status(state), state: state)
        _ = self.feed.flush()
    }

    // MARK: One connection

    /// Why a connection ended.
    private struct Failure {
        var code = "CONNECTION"
        var reason: String
        var details = JSONObject()
        var retryAfter: Duration?
        var hasBeenOpen = false
        var isBusStopped = false
    }

    private func connectOnce(isFirst: Bool) async -> Failure {
        let connection: WebSocketConnection
        do throws(WebSocketError) {
            let feed = self.feed
            connection = try await self.client.connect(to: self.endpoint) { _ in FeedDelegate(feed) }
        } catch {
            return Self.failure(error)
        }
        if !isFirst { self.feed.noteReconnect() }
        self.logger.info("Connected", metadata: [LogKey.address: "\(self.endpoint)"])
        let replaced = Locked<String?>(nil)
        let closure = await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.keepAlive(connection, replaced) }
                let closure = await connection.waitUntilClosed()
                group.cancelAll()
                return closure
            }
        } onCancel: {
            connection.close(.goingAway)
        }
        let reason = replaced.withLock { $0 } ?? Self.describe(closure)
        return Failure(
            reason: reason, hasBeenOpen: true,
            isBusStopped: closure.initiator == .local && self.feed.flush() == .stopped)
    }

    /// Lets the session know that time passes, once a second.
    private func keepAlive(_ connection: WebSocketConnection, _ replaced: Locked<String?>) async {
        while true {
            do {
                try await Task.sleep(for: .seconds(1))
            } catch {
                return
            }
            let (outgoing, replace) = self.feed.tick()
            for text in outgoing { try? connection.send(text: text) }
            // A silent socket brings no read to publish after; on the event loop, so that the order stays one.
            let feed = self.feed
            _ = try? await connection.eventLoop.submit { feed.flush() }.get()
            if let replace {
                replaced.withLock { $0 = replace }
                connection.abort()
            }
        }
    }

    private static func describe(_ closure: WebSocketClosure) -> String {
        if let cause = closure.cause { return cause.message }
        let reason = closure.reason.isEmpty ? "" : ", \(closure.reason)"
        return "closed with \(closure.code)\(reason)"
    }

    /// What a failed attempt to connect means: a venue that answers 418 or 429 wants to be left alone for a while.
    private static func failure(_ error: WebSocketError) -> Failure {
        guard let status = error.status else { return Failure(reason: error.message) }
        var details: [(String, JSONValue)] = [("status", .number(ExactDecimal(status)))]
        guard status == 429 || status == 418 else {
            return Failure(reason: error.message, details: JSONObject(details))
        }
        // Without a word of the venue: a while for a limit, longer for a ban.
        let seconds = error.retryAfterSeconds ?? (status == 418 ? 120 : 5)
        details.append(("retry_after_seconds", .number(ExactDecimal(seconds))))
        return Failure(
            code: "RATE_LIMIT", reason: "Rate limit exceeded", details: JSONObject(details),
            retryAfter: .seconds(seconds))
    }
}
