/// The names of what log lines carry beside their message: the one list of them. Stable: dashboards and searches rely on
/// them.
package enum LogKey {
    /// What went wrong, in words; without secrets.
    package static let error = "tidings.error"
    /// How many events were lost.
    package static let dropped = "tidings.dropped"
    /// The name of a subscription: of a handler, a tap, a processor, a webhook.
    package static let subscriber = "tidings.subscriber"
    /// The `event_id` of the event in question.
    package static let eventID = "tidings.event.id"
    /// Its `event_type`.
    package static let eventType = "tidings.event.type"
    /// The payload key whose value was redacted.
    package static let redactedKey = "tidings.redacted.key"
    /// The name of a connector, which is that of its venue.
    package static let connector = "tidings.connector"
    /// The state that something has come to, such as `stale`.
    package static let state = "tidings.state"
    /// A symbol as we write it, such as `BTC-USD`.
    package static let symbol = "tidings.symbol"
    /// How many times something has been tried.
    package static let attempt = "tidings.attempt"
    /// Why something is as it is, in words.
    package static let reason = "tidings.reason"
    /// A host and port, or the origin of a URL; never a whole URL, which may hold secrets.
    package static let address = "tidings.address"
    /// Which client of the gateway.
    package static let client = "tidings.client"
    /// A file's path, and its line where there is one.
    package static let file = "tidings.file"
    /// How many of whatever the message is about.
    package static let count = "tidings.count"
    /// How long something took or will take, with its unit.
    package static let duration = "tidings.duration"
}
