#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A logged event, decoded.
struct FoundEvent {
    let logged: LoggedEvent
    let event: StandardEvent

    var id: EventID { self.event.eventID }

    /// `nil` for what cannot be read: it is treated as not there.
    init?(_ logged: LoggedEvent) {
        guard let event = try? logged.event() else { return nil }
        self.logged = logged
        self.event = event
    }

    /// An event that names a parent; `nil` for any other, which where the log keeps text is mostly told without decoding.
    init?(ifHasParent logged: LoggedEvent) {
        if let json = logged.keptJSON, !Self.mentionsParent(json) { return nil }
        guard let found = FoundEvent(logged), found.event.parentEventID != nil else { return nil }
        self = found
    }

    private static let parentKey: StaticString = "parent_event_id"
    /// Where its first underscore stands.
    private static let underscore = 6

    private static func mentionsParent(_ json: [UInt8]) -> Bool {
        json.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            let length = self.parentKey.utf8CodeUnitCount
            var index = self.underscore
            while index + length - self.underscore <= bytes.count,
                let found = memchr(start + index, 0x5F, bytes.count - index)
            {
                let place = UnsafeRawPointer(found) - start
                let isWhole = place - self.underscore + length <= bytes.count
                if isWhole && memcmp(start + place - self.underscore, self.parentKey.utf8Start, length) == 0 {
                    return true
                }
                index = place + 1
            }
            return false
        }
    }
}
