import Tidings
import TidingsWebSocket

/// Feeds a ``TailSession`` from connections, one after the other, and prints what it says. Printing happens on the
/// connection's event loop: printing slowly is what holds the server back.
final class TailReader: Sendable {
    private let session: Locked<TailSession>

    init(_ session: TailSession) {
        self.session = Locked(session)
    }

    /// Reads until all that is wanted was printed; cancel it to end before.
    ///
    /// - Throws: ``CommandError`` when going on makes no sense, and `CancellationError`.
    func run(_ client: WebSocketClient, _ url: String) async throws {
        while true {
            let loss = await self.follow(client, url)
            try Task.checkCancellation()
            switch self.session.withLock({ $0.lost(loss) }) {
            case .done: return
            case .fail(let message): throw CommandError("\(url): \(message)")
            case .again(let delay, let notice):
                StandardError.write("\(notice)\n")
                try await Task.sleep(for: delay * Double.random(in: 0.8...1.2))
            }
        }
    }

    /// Prints over one connection until it ends; returns why it did.
    private func follow(_ client: WebSocketClient, _ url: String) async -> TailSession.Loss {
        let connection: WebSocketConnection
        do throws(WebSocketError) {
            connection = try await client.connect(to: url) { _ in Delegate(self) }
        } catch {
            guard error.code == .rejected, let status = error.status else { return .unreachable(error.message) }
            let retryAfter = error.retryAfterSeconds.map { Duration.seconds($0) }
            return .refused(status: status, retryAfter: retryAfter, message: error.message)
        }
        let closure = await withTaskCancellationHandler {
            await connection.waitUntilClosed()
        } onCancel: {
            connection.close()
        }
        let cause = closure.cause?.message ?? (closure.reason.isEmpty ? "code \(closure.code)" : closure.reason)
        return .closed(cause)
    }

    /// Lives on the connection's event loop.
    private final class Delegate: WebSocketDelegate {
        private let reader: TailReader
        private var output = ""

        init(_ reader: TailReader) {
            self.reader = reader
        }

        func webSocketDidOpen(_ connection: WebSocketConnection) {
            // A connection that is gone already says so by closing.
            try? connection.send(text: self.reader.session.withLock { $0.opened() })
        }

        func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {
            for effect in self.reader.session.withLock({ $0.received(bytes) }) {
                switch effect {
                case .print(let line): self.output += line + "\n"
                case .notice(let line):
                    self.flush()
                    StandardError.write("\(line)\n")
                case .close:
                    self.flush()
                    connection.close()
                }
            }
        }

        func webSocketDidCompleteRead(_ connection: WebSocketConnection) { self.flush() }

        func webSocket(_ connection: WebSocketConnection, didClose closure: WebSocketClosure) { self.flush() }

        private func flush() {
            if !self.output.isEmpty { StandardOutput.write(self.output) }
            self.output = ""
        }
    }
}
