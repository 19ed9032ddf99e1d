import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import Tidings

/// Makes a venue's HTTP requests, within its limits.
///
/// Requests go in the order in which they were given, spaced as the venue wants them, and not while it wants to be left
/// alone (HTTP 418, 429 and `Retry-After`); all who ask one address within this process share its limits. Where no answer
/// comes, or one that blames the server (5xx), it is tried again.
///
/// Safe to use from any task; a cancelled caller is answered at once, and so are all when it is shut down. One that was
/// made has to be shut down.
final class VenueHTTP: Sendable {
    /// What makes somebody wait.
    struct Limit: Sendable, Equatable {
        /// 429 or 418.
        var status: Int
        /// How long nothing is asked.
        var pause: Duration
    }

    private static let attempts = 3
    private static let firstRetry = Duration.milliseconds(250)
    /// For one attempt, from its start to the end of the answer's body.
    private static let patience = Duration.seconds(15)
    private static let longestBody = 64 << 20
    private static let longestReason = 200

    /// Scheme, host and port.
    let rest: String
    private let client: HTTPClient
    let schedule: SharedSchedule
    private let waitingRoom = WaitingRoom()
    private let patience: Duration
    private let onLimit: @Sendable (Limit) -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - rest: scheme, host and port.
    ///   - proxy: `http://[user:password@]host:port`.
    ///   - patience: how long an attempt may take.
    ///   - onLimit: told whenever the venue wants to be left alone.
    init(
        rest: String, limits: VenueLimits, proxy: String?, logger: Logger, patience: Duration = VenueHTTP.patience,
        onLimit: @escaping @Sendable (Limit) -> Void = { _ in }
    ) throws(ConnectorError) {
        try Self.check(rest: rest)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .follow(max: 3, allowCycles: false))
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .enabled(limit: .size(Self.longestBody))
        if let proxy { configuration.proxy = try Self.proxy(proxy) }
        var path = rest
        while path.hasSuffix("/") { path.removeLast() }
        self.rest = path
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.schedule = SharedSchedule.of(path, proxy: proxy, limits)
        self.patience = patience
        self.onLimit = onLimit
        self.logger = logger
    }

    /// - Throws: when requests cannot be made there.
    static func check(rest: String) throws(ConnectorError) {
        guard let url = URL(string: rest), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
            url.host?.isEmpty == false
        else { throw ConnectorError(.invalidEndpoint, "rest: '\(rest)' is no HTTP address") }
    }

    private static func proxy(_ text: String) throws(ConnectorError) -> HTTPClient.Configuration.Proxy {
        // The text may hold a password: no message repeats it.
        guard let url = URL(string: text), url.scheme?.lowercased() == "http", let host = url.host, !host.isEmpty else {
            throw ConnectorError(.invalidProxy, "proxy: must be http://host:port")
        }
        guard let user = url.user(percentEncoded: false) else { return .server(host: host, port: url.port ?? 80) }
        let password = url.password(percentEncoded: false) ?? ""
        return .server(host: host, port: url.port ?? 80, authorization: .basic(username: user, password: password))
    }

    /// Closes its connections. What is under way or waits fails.
    func shutdown() async {
        self.waitingRoom.close()
        try? await self.client.shutdown()
    }

    /// Makes a request when its turn has come.
    func answer(to request: VenueRequest) async -> VenueAnswer {
        var failure = VenueAnswer.failure(status: nil, reason: "not tried")
        for attempt in 0..<Self.attempts {
            if attempt > 0 {
                let delay = Self.firstRetry * (1 << (attempt - 1)) * Double.random(in: 0.8..<1.2)
                guard await self.waitingRoom.wait(for: delay) else { return Self.cancelled }
            }
            if let refusal = await self.waitForTurn(request.weight) { return refusal }
            let outcome = await self.execute(request)
            guard case .again(let answer) = outcome else {
                guard case .done(let answer) = outcome else { return failure }
                return answer
            }
            if Task.isCancelled { return Self.cancelled }
            failure = answer
        }
        return failure
    }

    // MARK: Waiting

    private static let cancelled = VenueAnswer.failure(status: nil, reason: "cancelled")

    private func waitForTurn(_ weight: Int) async -> VenueAnswer? {
        var verdict = self.schedule.withLock { $0.enter(weight: weight, now: MonotonicClock.nanoseconds()) }
        while true {
            guard case .start(let time) = verdict else {
                guard case .refused(let reason) = verdict else { return nil }
                return .failure(status: nil, reason: reason)
            }
            let now = MonotonicClock.nanoseconds()
            if time > now, !(await self.waitingRoom.wait(for: .nanoseconds(time - now))) { return Self.cancelled }
            let later = self.schedule.withLock { $0.check(weight: weight, now: MonotonicClock.nanoseconds()) }
            guard let later else { return nil }
            verdict = later
        }
    }

    // MARK: Asking

    private enum Outcome {
        case done(VenueAnswer)
        case again(VenueAnswer)
    }

    private func execute(_ request: VenueRequest) async -> Outcome {
        var message = HTTPClientRequest(url: self.rest + request.target)
        message.method = HTTPMethod(rawValue: request.method.rawValue)
        message.headers.add(name: "User-Agent", value: "tidings")
        message.headers.add(name: "Accept", value: "application/json")
        if !request.body.isEmpty {
            message.headers.add(name: "Content-Type", value: "application/json")
            message.body = .bytes(ByteBuffer(string: request.body))
        }
        let client = self.client
        let call = message
        do {
            // The client's own time limit ends with the answer's head.
            let (response, body) = try await withTimeLimit(self.patience) {
                let response = try await client.execute(call, deadline: .distantFuture)
                return (response, try await response.body.collect(upTo: Self.longestBody))
            }
            return self.judge(response, body)
        } catch is NIOTooManyBytesError {
            return .done(.failure(status: nil, reason: "an answer of more than \(Self.longestBody) bytes"))
        } catch is TimeLimitExceeded {
            return .again(.failure(status: nil, reason: "no whole answer within \(self.patience)"))
        } catch {
            return .again(.failure(status: nil, reason: Self.reason(error)))
        }
    }

    private func judge(_ response: HTTPClientResponse, _ body: ByteBuffer) -> Outcome {
        let status = Int(response.status.code)
        let now = MonotonicClock.nanoseconds()
        if let used = response.headers.first(name: "X-MBX-USED-WEIGHT-1M").flatMap({ Int($0) }) {
            let minute: Int64 = 60_000_000_000
            let rest = minute - Timestamp.now().nanoseconds % minute
            self.schedule.withLock { $0.observed(used: used, rest: rest, now: now) }
        }
        switch status {
        case 200..<300:
            self.schedule.withLock { $0.succeeded() }
            return .done(.body(Array(buffer: body)))
        case 418, 429:
            let asked = response.headers.first(name: "Retry-After").flatMap { RetryAfter.parse($0, now: .now()) }
            let pause = self.schedule.withLock {
                $0.limited(isBan: status == 418, asked: asked?.boundedNanoseconds, now: now)
            }
            self.onLimit(Limit(status: status, pause: .nanoseconds(pause)))
            self.logger.notice(
                "The venue wants to be left alone",
                metadata: [LogKey.reason: "HTTP \(status)", LogKey.duration: "\(Duration.nanoseconds(pause))"])
            return .again(.failure(status: status, reason: "Rate limit exceeded"))
        default:
            let text = String(decoding: body.readableBytesView.prefix(Self.longestReason), as: UTF8.self)
            let failure = VenueAnswer.failure(
                status: status, reason: text.isEmpty ? response.status.reasonPhrase : text)
            return status >= 500 ? .again(failure) : .done(failure)
        }
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty {
            return "its name cannot be resolved"
        }
        if let error = error as? HTTPClientError { return error.shortDescription.lowercased() }
        return String("\(error)".prefix(Self.longestReason))
    }
}
