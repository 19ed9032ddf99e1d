#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Prints events the one way that console, `tail` and `query` share: aligned columns for people, JSON for programs.
public struct EventLine: Sendable {
    public enum Format: Sendable {
        /// Time, type, source, subject and a summary.
        case text(isColoured: Bool)
        /// One JSON object a line: `{"offset":n,"event":{...}}`, or the bare event where there is no offset.
        case json
    }

    public enum Zone: Sendable {
        case local
        case utc
    }

    public var format: Format
    public var zone: Zone
    /// Lines of text are cut to this many characters; `nil` for no limit.
    public var width: Int?

    public init(format: Format, zone: Zone = .local, width: Int? = nil) {
        self.format = format
        self.zone = zone
        self.width = width
    }

    /// The line for an event, without a line break.
    public func line(for event: StandardEvent, offset: Int64? = nil) -> String {
        switch self.format {
        case .json:
            guard let offset else { return event.json }
            return "{\"offset\":\(offset),\"event\":\(event.json)}"
        case .text(let isColoured):
            return self.text(event, isColoured: isColoured)
        }
    }

    private func text(_ event: StandardEvent, isColoured: Bool) -> String {
        let time = self.time(event.timestamp)
        let type = event.eventType.rawValue.padded(to: 17)
        let source = event.source.description.padded(to: 12)
        let subject = (event.subject ?? "").padded(to: 10)
        // Payloads may hold anything: nothing of them may steer the terminal.
        var rest = Self.printable("\(source) \(subject) \(event.summary)")
        if let width = self.width {
            let room = max(width - time.count - type.count - 2, 20)
            if rest.count > room { rest = rest.prefix(room - 1) + "…" }
        }
        guard isColoured else { return "\(time) \(type) \(rest)" }
        return "\u{1B}[2m\(time)\u{1B}[0m \(Self.colour(of: event))\(type)\u{1B}[0m \(rest)"
    }

    /// Text from outside without what could steer a terminal.
    package static func printable(_ text: String) -> String {
        let isClean = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        if isClean { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "\u{FFFD}" : $0 }))
    }

    /// Hours to milliseconds; with the date when it is not today.
    private func time(_ timestamp: Timestamp) -> String {
        var seconds = time_t(timestamp.nanoseconds / 1_000_000_000)
        var milliseconds = timestamp.nanoseconds % 1_000_000_000 / 1_000_000
        if milliseconds < 0 {
            milliseconds += 1000
            seconds -= 1
        }
        var now = time_t(Timestamp.now().nanoseconds / 1_000_000_000)
        let moment = self.broken(&seconds)
        let today = self.broken(&now)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let fraction = String(1000 + milliseconds).dropFirst()
        let clock = "\(two(moment.tm_hour)):\(two(moment.tm_min)):\(two(moment.tm_sec)).\(fraction)"
        if moment.tm_yday == today.tm_yday && moment.tm_year == today.tm_year { return clock }
        return "\(moment.tm_year + 1900)-\(two(moment.tm_mon + 1))-\(two(moment.tm_mday)) \(clock)"
    }

    private func broken(_ seconds: inout time_t) -> tm {
        var parts = tm()
        switch self.zone {
        case .local: localtime_r(&seconds, &parts)
        case .utc: gmtime_r(&seconds, &parts)
        }
        return parts
    }

    private static func colour(of event: StandardEvent) -> String {
        switch event.eventType {
        case .trade: event.payload.trade?.side == .sell ? "\u{1B}[31m" : "\u{1B}[32m"
        case .ticker: "\u{1B}[36m"
        case .orderBook: "\u{1B}[34m"
        case .ohlcv: "\u{1B}[35m"
        case .error: "\u{1B}[1;31m"
        case .connectorStatus, .heartbeat: "\u{1B}[33m"
        default: event.eventType.rawValue.hasSuffix(".error") ? "\u{1B}[31m" : "\u{1B}[37m"
        }
    }
}

extension EventLine {
    /// The line for an event of a log, without a line break; JSON is passed on as the log keeps it.
    public func line(for logged: LoggedEvent) throws(EventDecodingError) -> String {
        guard case .json = self.format else {
            return self.line(for: try logged.event(), offset: logged.offset)
        }
        return logged.withJSON { bytes in
            "{\"offset\":\(logged.offset),\"event\":\(String(decoding: bytes, as: UTF8.self))}"
        }
    }
}
