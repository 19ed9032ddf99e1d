/// How a WebSocket ended.
public struct WebSocketClosure: Sendable {
    /// Who ended it.
    public enum Initiator: Sendable { case local, remote, transport }

    /// The code the initiator gave; `.noStatus` if it gave none, `.abnormal` if the socket ended without a close frame.
    public var code: WebSocketCloseCode
    public var reason: String
    public var initiator: Initiator
    /// Whether both close frames were exchanged.
    public var isClean: Bool
    /// The violation, missed pong or socket error behind it, if one was.
    public var cause: WebSocketError?

    public init(
        code: WebSocketCloseCode, reason: String = "", initiator: Initiator, isClean: Bool = false,
        cause: WebSocketError? = nil
    ) {
        self.code = code
        self.reason = reason
        self.initiator = initiator
        self.isClean = isClean
        self.cause = cause
    }
}
