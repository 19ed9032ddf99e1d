import Logging

/// What redaction has taken out since it began. Says names only, never what stood there.
public struct RedactionReport: Sendable, Equatable {
    /// Where something was taken out.
    public struct Place: Sendable, Hashable {
        /// `other` beyond a bounded number of places; `text` for error messages and log lines.
        public var eventType: String
        /// The sensitive name in its plain form (`apikey`), or `url` for a user and a password before a host.
        public var key: String

        public init(eventType: String, key: String) {
            self.eventType = eventType
            self.key = key
        }
    }

    /// Values replaced.
    public var total: UInt64 = 0
    public var byPlace: [Place: UInt64] = [:]

    public init() {}

    /// Values replaced under a name, over all event types.
    public func count(of key: String) -> UInt64 {
        self.byPlace.reduce(0) { $0 + ($1.key.key == key ? $1.value : 0) }
    }
}

/// Counts, and says each place once in the log.
final class RedactionCounter: Sendable {
    /// Types come from outside: beyond this many places they are counted as `other`.
    static let maximumPlaces = 1024

    private let report = Locked(RedactionReport())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    var current: RedactionReport { self.report.withLock { $0 } }

    func count(_ keys: [String], in type: String) {
        let new = self.report.withLock { report in
            var new: [RedactionReport.Place] = []
            for key in keys {
                var place = RedactionReport.Place(eventType: type, key: key)
                if report.byPlace[place] == nil {
                    if report.byPlace.count >= Self.maximumPlaces { place.eventType = "other" }
                    if report.byPlace[place] == nil { new.append(place) }
                }
                report.total += 1
                report.byPlace[place, default: 0] += 1
            }
            return new
        }
        for place in new {
            self.logger.info(
                "A secret was redacted",
                metadata: [LogKey.eventType: "\(place.eventType)", LogKey.redactedKey: "\(place.key)"])
        }
    }
}
