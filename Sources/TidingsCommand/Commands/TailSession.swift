import Foundation
import Tidings
import TidingsWebSocket

/// What `tail` knows across connections: where it is and what it still wants.
final class TailSession: Sendable {
    enum Position: Sendable {
        case start
        case offset(Int64, epoch: String?)
        case time(Timestamp)
    }

    private struct State {
        var position: Position?
        var remaining: Int?
        var epoch: String?
        var hasEverOpened = false
        var problem: String?
    }

    private let filter: EventFilter
    private let line: EventLine
    private let state: Locked<State>

    init(filter: EventFilter, position: Position?, limit: Int?, line: EventLine) {
        self.filter = filter
        self.line = line
        self.state = Locked(State(position: position, remaining: limit))
    }

    /// Whether everything asked for has been printed.
    var isDone: Bool { self.state.withLock { $0.remaining == 0 } }
    var hasEverOpened: Bool { self.state.withLock { $0.hasEverOpened } }
    /// Why going on makes no sense.
    var problem: String? { self.state.withLock { $0.problem } }

    /// The frame that asks for what is wanted, from where it is now.
    func subscription() -> String {
        var request: [(String, JSONValue)] = [("action", "subscribe")]
        if !self.filter.symbols.isEmpty { request.append(("symbols", .array(self.filter.symbols.map { .string($0) }))) }
        let types = self.filter.types.isEmpty ? ["*"] : self.filter.types.map(\.text)
        request.append(("event_types", .array(types.map { .string($0) })))
        if !self.filter.sources.isEmpty {
            request.append(("sources", .array(self.filter.sources.map { .string($0.description) })))
        }
        let position = self.state.withLock { state in
            state.hasEverOpened = true
            return state.position
        }
        switch position {
        case .start: request.append(("from", "start"))
        case .offset(let offset, let epoch):
            var from: [(String, JSONValue)] = []
            if let epoch { from.append(("epoch", .string(epoch))) }
            from.append(("offset", .number(ExactDecimal(mantissa: offset))))
            request.append(("from", .object(JSONObject(from))))
        case .time(let time): request.append(("from", ["time": .string(time.description)]))
        case nil: break
        }
        return JSONObject(request).description
    }

    /// Takes one frame of the server; returns the text to print.
    func receive(_ frame: UnsafeRawBufferPointer) -> String? {
        guard let message = try? JSONObject(json: frame) else { return nil }
        switch message["type"]?.string {
        case "event":
            guard let offset = message["offset"]?.int.map(Int64.init), let data = message["data"]?.object else {
                return nil
            }
            return self.print(data, offset: offset)
        case "ack":
            let data = message["data"]?.object
            guard let epoch = data?["epoch"]?.string, let offset = data?["offset"]?.int.map(Int64.init) else {
                return nil
            }
            self.state.withLock { state in
                state.epoch = epoch
                state.position = .offset(offset, epoch: epoch)
            }
            if data?["recovered"]?.bool == false, let oldest = data?["oldest_offset"]?.int {
                StandardError.write("history before offset \(oldest) is gone\n")
            }
        case "gap":
            StandardError.write("\(message["dropped"]?.int ?? 0) events were not received: this reader is too slow\n")
        case "error":
            let problem = message["error"]?.string ?? "the server refused the subscription"
            self.state.withLock { $0.problem = problem }
        default: break
        }
        return nil
    }

    private func print(_ data: JSONObject, offset: Int64) -> String? {
        let event: StandardEvent
        do throws(EventDecodingError) {
            event = try data.withUTF8 { bytes throws(EventDecodingError) in
                try StandardEvent(
                    json: bytes, defaults: EventDecodingDefaults(source: "websocket", maximumByteCount: .max))
            }
        } catch {
            StandardError.write("offset \(offset): \(error)\n")
            return nil
        }
        let isWanted = self.state.withLock { state in
            state.position = .offset(offset, epoch: state.epoch)
            guard state.remaining != 0, self.filter.matches(event) else { return false }
            if let remaining = state.remaining { state.remaining = remaining - 1 }
            return true
        }
        return isWanted ? self.line.line(for: event, offset: offset) + "\n" : nil
    }
}

/// Prints what comes in, on the connection's event loop: printing slowly is what holds the server back.
final class TailDelegate: WebSocketDelegate {
    private let session: TailSession
    private var output = ""

    init(_ session: TailSession) {
        self.session = session
    }

    func webSocketDidOpen(_ connection: WebSocketConnection) {
        try? connection.send(text: self.session.subscription())
    }

    func webSocket(_ connection: WebSocketConnection, didReceiveText bytes: UnsafeRawBufferPointer) {
        if let text = self.session.receive(bytes) { self.output += text }
        if self.session.isDone || self.session.problem != nil { self.finish(connection) }
    }

    func webSocketDidCompleteRead(_ connection: WebSocketConnection) {
        self.flush()
    }

    private func finish(_ connection: WebSocketConnection) {
        self.flush()
        connection.close()
    }

    private func flush() {
        if !self.output.isEmpty { StandardOutput.write(self.output) }
        self.output = ""
    }
}
