/// A way to break the protocol, with the close code it earns.
struct WebSocketViolation: Error, Equatable, Sendable {
    var code: WebSocketCloseCode
    var reason: String

    private static func protocolError(_ reason: String) -> Self { Self(code: .protocolError, reason: reason) }

    static let badLength = protocolError("Impossible frame length")
    static let reservedOpcode = protocolError("Reserved opcode")
    static let reservedBits = protocolError("Reserved bits set")
    static let masked = protocolError("Masked frame from a server")
    static let unmasked = protocolError("Unmasked frame from a client")
    static let longControl = protocolError("Control frame longer than 125 bytes")
    static let fragmentedControl = protocolError("Fragmented control frame")
    static let loneContinuation = protocolError("Continuation of nothing")
    static let interleavedMessage = protocolError("Message inside a message")
    static let badClosePayload = protocolError("Invalid close frame")
    static let badCloseCode = protocolError("Invalid close code")
    static let invalidUTF8 = Self(code: .invalidPayload, reason: "Invalid UTF-8")
    static let corrupt = Self(code: .invalidPayload, reason: "Does not decompress")
    static let frameTooBig = Self(code: .tooBig, reason: "Frame too big")
    static let messageTooBig = Self(code: .tooBig, reason: "Message too big")

    init(code: WebSocketCloseCode, reason: String) {
        self.code = code
        self.reason = reason
    }

    init?(_ outcome: Inflater.Outcome) {
        switch outcome {
        case .done: return nil
        case .tooBig: self = .messageTooBig
        case .corrupt: self = .corrupt
        }
    }
}
