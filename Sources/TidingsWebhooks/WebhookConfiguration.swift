public import Tidings

/// Where a webhook posts which events, and how.
public struct WebhookConfiguration: Sendable, Equatable {
    /// What is posted.
    public enum Format: String, Sendable, CaseIterable {
        /// The event's JSON, as it is everywhere else.
        case event
        /// A line of text for a Slack channel, or what takes the same (Mattermost, Rocket.Chat).
        case slack
        /// A line of text for a Discord channel.
        case discord
    }

    /// How many requests are under way at once.
    public enum Concurrency: Sendable, Equatable {
        /// One: events arrive in their order.
        case serial
        /// Up to so many: events of one symbol arrive in their order.
        case perSymbol(Int)
    }

    /// What the webhook is called in logs, counters and dead letters; unique among a bus's subscribers, and the same
    /// after a restart, so that its dead letters find it. `nil` for `webhook` and the host.
    public var name: String?
    /// `https` or `http`. Credentials in it are sent as `Authorization`.
    public var url: String
    /// Which events; all unless it says otherwise.
    public var filter: EventFilter
    /// Signs every request, as Standard Webhooks has it; see ``WebhookSignature``.
    public var secret: WebhookSecret?
    /// Sent besides, in their order. Those that the webhook sets itself are refused.
    public var headers: [Header]
    public var format: Format
    /// The most that may pass until the receiver has answered, connecting included.
    public var timeout: Duration
    public var retry: RetryPolicy
    public var concurrency: Concurrency
    /// The most events that wait. Beyond them the oldest are dropped and counted: a receiver that is down holds up
    /// nobody.
    public var capacity: Int

    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Eight attempts within some ten minutes, after pauses that grow from one second to five minutes.
    public static let defaultRetry = RetryPolicy(
        attempts: 8, firstDelay: .seconds(1), multiplier: 3, maximumDelay: .seconds(300))

    public init(
        name: String? = nil, url: String, filter: EventFilter = .all, secret: WebhookSecret? = nil,
        headers: [Header] = [], format: Format = .event, timeout: Duration = .seconds(10),
        retry: RetryPolicy = WebhookConfiguration.defaultRetry, concurrency: Concurrency = .serial,
        capacity: Int = 10_000
    ) {
        self.name = name
        self.url = url
        self.filter = filter
        self.secret = secret
        self.headers = headers
        self.format = format
        self.timeout = timeout
        self.retry = retry
        self.concurrency = concurrency
        self.capacity = capacity
    }
}

extension WebhookConfiguration {
    /// What a webhook without a name is called: `webhook` and the host.
    public var defaultName: String {
        guard let endpoint = try? WebhookEndpoint(self.url) else { return "webhook" }
        return "webhook \(endpoint.host)"
    }
}

extension WebhookConfiguration: CustomStringConvertible, CustomReflectable {
    /// The name and the host; never the URL or the headers.
    public var description: String {
        let endpoint = try? WebhookEndpoint(self.url)
        return "\(self.name ?? "webhook") to \(endpoint?.origin ?? "an invalid address")"
    }

    public var customMirror: Mirror { Mirror(self, children: []) }
}
