internal import NIOCore
internal import Tidings

/// What is posted for an event.
struct WebhookMessage {
    let format: WebhookConfiguration.Format

    /// The longest line for a chat: Discord takes 2,000 characters, escapes included; nobody reads more.
    private static let longestLine = 900

    func body(for event: StandardEvent) -> ByteBuffer {
        switch self.format {
        case .event:
            var writer = JSONWriter()
            writer.write(event)
            return writer.withBytes { ByteBuffer(bytes: $0) }
        case .slack:
            // Between angle brackets stand mentions and links; the rest of the markup is switched off.
            let text = Self.line(for: event)
                .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            return Self.json(["text": .string(text), "mrkdwn": false])
        case .discord:
            var text = ""
            for character in Self.line(for: event) {
                if "\\*_~`|<>[]()#".contains(character) { text.append("\\") }
                text.append(character)
            }
            // No payload may call everyone in the channel.
            return Self.json(["content": .string(text), "allowed_mentions": ["parse": []]])
        }
    }

    /// `price_alert BTC-USD: price=50000 ... (alerts, 2026-11-22T18:00:00Z)`
    static func line(for event: StandardEvent) -> String {
        let subject = event.subject.map { " \($0)" } ?? ""
        let summary = event.summary
        let text = summary.isEmpty ? "" : ": \(summary)"
        let end = "(\(event.source), \(event.timestamp))"
        return "\(event.eventType.rawValue)\(subject)\(text)".oneLine(limit: Self.longestLine - 100)
            + " " + end.oneLine(limit: 99)
    }

    private static func json(_ object: JSONObject) -> ByteBuffer {
        ByteBuffer(string: object.description)
    }
}
