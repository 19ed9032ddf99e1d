/// Why a WebSocket was closed, as the number that goes over the wire.
public struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The purpose of the connection is fulfilled.
    public static let normal = Self(rawValue: 1000)
    /// The endpoint is going away: a server stops, a page is left.
    public static let goingAway = Self(rawValue: 1001)
    /// A frame broke the protocol.
    public static let protocolError = Self(rawValue: 1002)
    /// Data of a kind the endpoint does not take, such as binary where text is spoken.
    public static let unacceptableData = Self(rawValue: 1003)
    /// Never sent: the peer's close frame named no code.
    public static let noStatus = Self(rawValue: 1005)
    /// Never sent: the connection ended without a close frame.
    public static let abnormal = Self(rawValue: 1006)
    /// Text that is not UTF-8, or a compressed message that does not decompress.
    public static let invalidPayload = Self(rawValue: 1007)
    /// Not allowed.
    public static let policyViolation = Self(rawValue: 1008)
    /// A frame or message over the limit.
    public static let tooBig = Self(rawValue: 1009)
    /// The client wanted an extension the server did not grant.
    public static let missingExtension = Self(rawValue: 1010)
    /// The server met an unexpected condition.
    public static let internalError = Self(rawValue: 1011)
    /// The service restarts: come back.
    public static let serviceRestart = Self(rawValue: 1012)
    /// Overloaded: come back later.
    public static let tryAgainLater = Self(rawValue: 1013)
    /// Never sent: TLS failed.
    public static let tlsHandshake = Self(rawValue: 1015)
    /// Tidings: the client let too much wait; it may resume from the last offset.
    public static let tooSlow = Self(rawValue: 4008)
    /// Tidings: a ping was not answered in time.
    public static let noPong = Self(rawValue: 4012)

    /// Whether the code may stand in a close frame.
    public var isSendable: Bool {
        switch self.rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    public var description: String { String(self.rawValue) }
}
