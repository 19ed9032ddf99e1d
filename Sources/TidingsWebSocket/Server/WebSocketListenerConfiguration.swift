/// How a standalone listener behaves.
public struct WebSocketListenerConfiguration: Sendable {
    /// PEM files of a certificate chain and its key.
    public struct TLS: Hashable, Sendable {
        public var certificateFile: String
        public var keyFile: String

        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    public var host = "127.0.0.1"
    /// 0 takes any free one; see `WebSocketListener.port`.
    public var port = 0
    public var tls: TLS?
    /// Limits, pings, closing of the WebSockets.
    public var options = WebSocketOptions()
    /// Grant permessage-deflate; nil declines.
    public var deflate: WebSocketDeflateOptions?
    /// A longer request body is answered with 413.
    public var maximumBodyBytes = 1 << 20
    /// A first request has to arrive in this time, TLS included, and every body.
    public var requestTimeout: Duration = .seconds(10)
    /// A connection without a request for this long is closed.
    public var idleTimeout: Duration = .seconds(60)
    /// Further connections are closed at once.
    public var maximumConnections = 10_000
    /// How long `close()` waits for peers and for requests in progress.
    public var closeTimeout: Duration = .seconds(5)

    public init() {}
}
