/// What client and server agreed on for permessage-deflate (RFC 7692).
public struct WebSocketDeflateParameters: Hashable, Sendable {
    /// The server starts each message with an empty window.
    public var serverNoContextTakeover = true
    /// The client starts each message with an empty window.
    public var clientNoContextTakeover = true
    /// The server's window, 9 to 15.
    public var serverMaxWindowBits = 15
    /// The client's window, 9 to 15.
    public var clientMaxWindowBits = 15

    public init() {}

    func peerResetsContext(role: WebSocketRole) -> Bool {
        role == .client ? self.serverNoContextTakeover : self.clientNoContextTakeover
    }

    func ownWindowBits(role: WebSocketRole) -> Int {
        role == .client ? self.clientMaxWindowBits : self.serverMaxWindowBits
    }
}
