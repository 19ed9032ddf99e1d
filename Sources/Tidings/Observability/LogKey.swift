/// The names of what log lines carry beside their message. Stable: dashboards and searches rely on them.
package enum LogKey {
    package static let error = "tidings.error"
    package static let dropped = "tidings.dropped"
    package static let subscriber = "tidings.subscriber"
    package static let eventID = "tidings.event.id"
    package static let eventType = "tidings.event.type"
    package static let connector = "tidings.connector"
    package static let state = "tidings.state"
    package static let symbol = "tidings.symbol"
    package static let attempt = "tidings.attempt"
    package static let reason = "tidings.reason"
    package static let address = "tidings.address"
    package static let client = "tidings.client"
    package static let file = "tidings.file"
    package static let count = "tidings.count"
}
