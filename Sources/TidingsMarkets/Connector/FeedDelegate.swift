import Tidings
import TidingsWebSocket

/// Hands a connection's frames to the feed, on the event loop: parsed where they are read, published once per read.
final class FeedDelegate: WebSocketDelegate {
    private let feed: Feed
    private let number: Int
    /// When the read began whose frames are coming: all of them are received at that time.
    private var readAt: FeedMoment?

    init(_ feed: Feed, _ number: Int) {
        self.feed = feed
        self.number = number
    }

    func webSocketDidOpen(_ connection: WebSocketConnection) {
        self.feed.opened(self.number, connection)
    }

    func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {
        let now = self.readAt ?? .now()
        self.readAt = now
        self.feed.received(bytes, on: self.number, at: now)
    }

    func webSocketDidCompleteRead(_ connection: WebSocketConnection) {
        // Binary messages, which no venue sends, come without a text.
        guard let readAt = self.readAt else { return }
        self.readAt = nil
        self.feed.readCompleted(at: readAt)
    }

    func webSocket(_ connection: WebSocketConnection, didClose closure: WebSocketClosure) {
        self.feed.ended(self.number, ConnectionFailure(closure))
    }
}
