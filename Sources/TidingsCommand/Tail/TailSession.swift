import Tidings

/// What `tail` knows across connections: where it is, what it still wants, and what to do about what happens. No I/O.
struct TailSession {
    enum Position: Sendable, Equatable {
        case start
        case offset(Int64, epoch: String?)
        case time(Timestamp)
    }

    /// What a frame of the server leads to.
    enum Effect: Equatable {
        /// A line for standard output.
        case print(String)
        /// A line for standard error.
        case notice(String)
        /// The connection is of no more use.
        case close
    }

    /// How a connection ended, or did not come about.
    enum Loss: Equatable {
        /// The server answered the handshake with an error.
        case refused(status: Int, retryAfter: Duration?, message: String)
        /// There was no connection.
        case unreachable(String)
        /// It was closed or cut.
        case closed(String)
    }

    /// What follows from a loss.
    enum Next: Equatable {
        /// Nothing: all that was asked for has been printed.
        case done
        case again(after: Duration, notice: String)
        case fail(String)
    }

    private let filter: EventFilter
    private let line: EventLine
    private var position: Position?
    private var remaining: Int?
    private var epoch: String?
    /// Whether any connection was ever made.
    private var hasEverOpened = false
    /// Whether the server has said, on this connection, from where it sends.
    private var isSubscribed = false
    /// Connections in a row that brought no event.
    private var failures = 0
    private var refusal: String?

    static let shortestDelay = Duration.milliseconds(250)
    static let longestDelay = Duration.seconds(5)

    init(filter: EventFilter, position: Position?, limit: Int?, line: EventLine) {
        self.filter = filter
        self.line = line
        self.position = position
        self.remaining = limit
    }

    /// Whether everything asked for has been printed.
    var isDone: Bool { self.remaining == 0 }

    // MARK: A connection

    /// A connection stands; returns the frame that asks for what is wanted, from where it is now.
    mutating func opened() -> String {
        self.hasEverOpened = true
        self.isSubscribed = false
        var request: [(String, JSONValue)] = [("action", "subscribe")]
        if !self.filter.symbols.isEmpty { request.append(("symbols", .array(self.filter.symbols.map { .string($0) }))) }
        let types = self.filter.types.isEmpty ? ["*"] : self.filter.types.map(\.text)
        request.append(("event_types", .array(types.map { .string($0) })))
        if !self.filter.sources.isEmpty {
            request.append(("sources", .array(self.filter.sources.map { .string($0.description) })))
        }
        switch self.position {
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

    /// Takes one frame of the server.
    mutating func received(_ frame: UnsafeRawBufferPointer) -> [Effect] {
        guard !self.isDone, self.refusal == nil, let message = try? JSONObject(json: frame) else { return [] }
        switch message["type"]?.string {
        case "event": return self.event(message)
        case "ack": return self.acknowledged(message["data"]?.object)
        case "gap":
            let count = message["dropped"]?.int ?? 0
            return [.notice("\(count) events were not received: this reader is too slow")]
        case "error":
            let problem = message["error"]?.string ?? "the server refused the subscription"
            // A log that cannot be read now may be readable when we come back.
            if self.isSubscribed || message["code"]?.string == "store" { return [.notice(problem), .close] }
            self.refusal = problem
            return [.close]
        default: return []
        }
    }

    private mutating func acknowledged(_ data: JSONObject?) -> [Effect] {
        guard let epoch = data?["epoch"]?.string, let offset = data?["offset"]?.int.map(Int64.init) else { return [] }
        self.isSubscribed = true
        var effects: [Effect] = []
        if data?["recovered"]?.bool == false {
            let oldest = data?["oldest_offset"]?.int.map(Int64.init) ?? offset + 1
            if let known = self.epoch, known != epoch {
                effects.append(
                    .notice(
                        "the server has another log than before: what was in the old one and not shown yet is missing; "
                            + "going on at offset \(oldest) of the new one"))
            } else if case .offset(let last, _) = self.position, last + 1 < oldest {
                effects.append(
                    .notice("the server no longer has offsets \(last + 1) to \(oldest - 1): events may be missing"))
            } else {
                effects.append(.notice("the server no longer has what was before offset \(oldest)"))
            }
        }
        self.epoch = epoch
        self.position = .offset(offset, epoch: epoch)
        return effects
    }

    private mutating func event(_ message: JSONObject) -> [Effect] {
        guard let offset = message["offset"]?.int.map(Int64.init), let data = message["data"]?.object else { return [] }
        self.failures = 0
        self.position = .offset(offset, epoch: self.epoch)
        let event: StandardEvent
        do throws(EventDecodingError) {
            event = try data.withUTF8 { bytes throws(EventDecodingError) in
                try StandardEvent(
                    json: bytes, defaults: EventDecodingDefaults(source: "websocket", maximumByteCount: .max))
            }
        } catch {
            return [.notice("offset \(offset): \(error)")]
        }
        guard self.filter.matches(event) else { return [] }
        if let remaining = self.remaining { self.remaining = remaining - 1 }
        let line = Effect.print(self.line.line(for: event, offset: offset))
        return self.isDone ? [line, .close] : [line]
    }

    // MARK: Between connections

    /// A connection has ended, or none came about.
    mutating func lost(_ loss: Loss) -> Next {
        if self.isDone { return .done }
        if let refusal = self.refusal { return .fail(refusal) }
        var wait = min(Self.shortestDelay * (1 << min(self.failures, 10)), Self.longestDelay)
        self.failures += 1
        let reason: String
        switch loss {
        case .refused(let status, let retryAfter, let message):
            // What is wrong with the request will not get better; 408 and 429 say that it may.
            let mayPass = status >= 500 || status == 408 || status == 429
            guard self.hasEverOpened, mayPass else { return .fail(message) }
            if let retryAfter { wait = min(max(wait, retryAfter), .seconds(60)) }
            reason = message
        case .unreachable(let message):
            guard self.hasEverOpened else { return .fail("cannot reach the server: \(message)") }
            reason = message
        case .closed(let message):
            // Without a position there is no telling what came between the two subscriptions.
            let note = self.position == nil ? "; what comes until then is not shown" : ""
            reason = message + note
        }
        return .again(after: wait, notice: "connection lost (\(reason)), trying again")
    }
}
