internal import Tidings

/// An event's id as `webhook-id` carries it.
enum WebhookID {
    /// Our ids and most others stand as they are. A foreign one may be any text: what a header cannot carry is
    /// percent-encoded, so that one id stays one id.
    static func header(for id: EventID) -> String {
        let text = id.description
        let isPlain: (UInt8) -> Bool = { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "%") }
        if text.utf8.allSatisfy(isPlain) { return text }
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 0xF)]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
