/// Is told what happens on a connection, always on its event loop, synchronously: do not block.
///
/// It is made on the event loop by a factory, lives there only, and so need not be `Sendable`.
public protocol WebSocketDelegate: AnyObject {
    /// The handshake is done; the first thing called.
    func webSocketDidOpen(_ connection: WebSocketConnection)
    /// A whole text message, valid UTF-8. The bytes are only valid during the call.
    func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer)
    /// A whole binary message. The bytes are only valid during the call.
    func webSocket(_ connection: WebSocketConnection, didReceiveBinary bytes: UnsafeRawBufferPointer)
    /// All messages of one socket read were delivered: time to publish them as one batch.
    func webSocketDidCompleteRead(_ connection: WebSocketConnection)
    /// The channel took, or no longer takes, bytes without piling them up (its write buffer water mark).
    func webSocket(_ connection: WebSocketConnection, didChangeWritability isWritable: Bool)
    /// The connection ended; the last thing called, exactly once.
    func webSocket(_ connection: WebSocketConnection, didClose closure: WebSocketClosure)
}

extension WebSocketDelegate {
    public func webSocketDidOpen(_ connection: WebSocketConnection) {}
    public func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {}
    public func webSocket(_ connection: WebSocketConnection, didReceiveBinary bytes: UnsafeRawBufferPointer) {}
    public func webSocketDidCompleteRead(_ connection: WebSocketConnection) {}
    public func webSocket(_ connection: WebSocketConnection, didChangeWritability isWritable: Bool) {}
    public func webSocket(_ connection: WebSocketConnection, didClose closure: WebSocketClosure) {}
}

/// Makes the delegate of a new connection, on the connection's event loop.
public typealias WebSocketDelegateFactory = @Sendable (WebSocketConnection) -> any WebSocketDelegate

/// A delegate of closures, for small uses.
public final class WebSocketCallbacks: WebSocketDelegate {
    public var onOpen: ((WebSocketConnection) -> Void)?
    public var onText: ((WebSocketConnection, UnsafeRawBufferPointer) -> Void)?
    public var onBinary: ((WebSocketConnection, UnsafeRawBufferPointer) -> Void)?
    public var onReadComplete: ((WebSocketConnection) -> Void)?
    public var onWritability: ((WebSocketConnection, Bool) -> Void)?
    public var onClose: ((WebSocketConnection, WebSocketClosure) -> Void)?

    public init(
        onOpen: ((WebSocketConnection) -> Void)? = nil,
        onText: ((WebSocketConnection, UnsafeRawBufferPointer) -> Void)? = nil,
        onBinary: ((WebSocketConnection, UnsafeRawBufferPointer) -> Void)? = nil,
        onReadComplete: ((WebSocketConnection) -> Void)? = nil,
        onWritability: ((WebSocketConnection, Bool) -> Void)? = nil,
        onClose: ((WebSocketConnection, WebSocketClosure) -> Void)? = nil
    ) {
        self.onOpen = onOpen
        self.onText = onText
        self.onBinary = onBinary
        self.onReadComplete = onReadComplete
        self.onWritability = onWritability
        self.onClose = onClose
    }

    public func webSocketDidOpen(_ connection: WebSocketConnection) { self.onOpen?(connection) }

    public func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {
        self.onText?(connection, bytes)
    }

    public func webSocket(_ connection: WebSocketConnection, didReceiveBinary bytes: UnsafeRawBufferPointer) {
        self.onBinary?(connection, bytes)
    }

    public func webSocketDidCompleteRead(_ connection: WebSocketConnection) { self.onReadComplete?(connection) }

    public func webSocket(_ connection: WebSocketConnection, didChangeWritability isWritable: Bool) {
        self.onWritability?(connection, isWritable)
    }

    public func webSocket(_ connection: WebSocketConnection, didClose closure: WebSocketClosure) {
        self.onClose?(connection, closure)
    }
}
