/// What stands in a close frame: nothing, or a code and a reason.
enum ClosePayload {
    case valid(WebSocketCloseCode?, String)
    case violation(WebSocketViolation)

    init(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else {
            self = .valid(nil, "")
            return
        }
        guard bytes.count >= 2 else {
            self = .violation(.badClosePayload)
            return
        }
        let code = WebSocketCloseCode(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
        guard code.isSendable else {
            self = .violation(.badCloseCode)
            return
        }
        guard let reason = String(validating: bytes.dropFirst(2), as: UTF8.self) else {
            self = .violation(.invalidUTF8)
            return
        }
        self = .valid(code, reason)
    }

    /// The reason is cut, at a character, to what fits; a code that must not be sent gives an empty payload.
    static func encode(_ code: WebSocketCloseCode?, _ reason: String) -> [UInt8] {
        guard let code, code.isSendable else { return [] }
        var payload = [UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
        for scalar in reason.unicodeScalars {
            let bytes = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            guard payload.count + bytes.count <= 125 else { break }
            payload.append(contentsOf: bytes)
        }
        return payload
    }
}
