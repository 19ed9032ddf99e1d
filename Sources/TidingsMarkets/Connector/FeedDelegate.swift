import NIOCore
import Tidings
import TidingsWebSocket

/// Hands a connection's frames to the feed, on the connection's event loop: parsed where they are read, published once
/// per read. While the bus is full nothing is read.
final class FeedDelegate: WebSocketDelegate {
    private static let retryInterval = TimeAmount.milliseconds(5)

    private let feed: Feed

    init(_ feed: Feed) {
        self.feed = feed
    }

    func webSocketDidOpen(_ connection: WebSocketConnection) {
        for text in self.feed.opened() { try? connection.send(text: text) }
        Self.flush(self.feed, connection)
    }

    func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {
        self.feed.receive(bytes)
    }

    func webSocketDidCompleteRead(_ connection: WebSocketConnection) {
        Self.flush(self.feed, connection)
    }

    private static func flush(_ feed: Feed, _ connection: WebSocketConnection) {
        switch feed.flush() {
        case .done: break
        case .stopped: connection.close(.goingAway)
        case .stalled:
            connection.pauseReading()
            connection.eventLoop.scheduleTask(in: Self.retryInterval) { Self.retry(feed, connection) }
        }
    }

    private static func retry(_ feed: Feed, _ connection: WebSocketConnection) {
        guard connection.isOpen else { return }
        switch feed.flush() {
        case .done: connection.resumeReading()
        case .stopped: connection.close(.goingAway)
        case .stalled:
            connection.eventLoop.scheduleTask(in: Self.retryInterval) { Self.retry(feed, connection) }
        }
    }
}
