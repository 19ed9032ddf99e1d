/// Where something stands in a trace, as W3C Trace Context writes it. Events carry it in the extra keys `traceparent` and
/// `tracestate`, which are those of CloudEvents' distributed tracing extension, requests in headers of these names.
package struct TracePosition: Sendable, Equatable {
    package static let parentKey = "traceparent"
    package static let stateKey = "tracestate"

    package let traceparent: String
    package let tracestate: String?

    private static let longestState = 512

    /// `nil` when the text is no `traceparent`. A state that is too long or has strange characters is left out.
    package init?(traceparent: String?, tracestate: String? = nil) {
        guard let traceparent, Self.isValid(Array(traceparent.utf8)) else { return nil }
        self.traceparent = traceparent
        self.tracestate = tracestate.flatMap { state in
            let isPlain = state.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            return isPlain && !state.isEmpty && state.utf8.count <= Self.longestState ? state : nil
        }
    }

    /// `00-<32 hexadecimal digits>-<16>-<2>`, lower case, neither identifier all zero; later versions may go on behind
    /// another dash.
    private static func isValid(_ text: [UInt8]) -> Bool {
        guard text.count >= 55, text.count <= 256 else { return false }
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, parts.prefix(4).map(\.count) == [2, 32, 16, 2] else { return false }
        let areDigits = parts.prefix(4).allSatisfy { part in
            part.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        let isNothing = { (part: ArraySlice<UInt8>) in part.allSatisfy { $0 == UInt8(ascii: "0") } }
        guard areDigits, !isNothing(parts[1]), !isNothing(parts[2]) else { return false }
        let version = String(decoding: parts[0], as: UTF8.self)
        if version == "00" { return text.count == 55 }
        return version != "ff" && text.dropFirst(55).allSatisfy { (0x21...0x7E).contains($0) }
    }

    package init?(_ extra: JSONObject) {
        self.init(traceparent: extra[Self.parentKey]?.string, tracestate: extra[Self.stateKey]?.string)
    }

    var members: [(String, String)] {
        [(Self.parentKey, self.traceparent)] + (self.tracestate.map { [(Self.stateKey, $0)] } ?? [])
    }
}

extension StandardEvent {
    /// Where the event stands in a trace, if it says so.
    package var tracePosition: TracePosition? { self.details?.content.extra.flatMap { TracePosition($0) } }

    /// This event at a place in a trace, unless it says of itself where it stands.
    package func tracing(_ position: TracePosition) -> StandardEvent {
        guard self.details?.content.extra?[TracePosition.parentKey] == nil else { return self }
        var event = self
        event.change { content in
            var extra = content.extra ?? JSONObject()
            for (key, value) in position.members { extra = extra.setting(key, to: .string(value)) }
            content.extra = extra
        }
        return event
    }
}
