import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// `GET /api/v1/events` and `GET /api/v1/events/{event_id}`: the log, read back.
struct EventRoutes: Sendable {
    let log: any EventLog

    private static let names: Set<String> = QueryParameters.filterNames.union([
        "correlation_id", "since", "until", "after", "limit", "order",
    ])

    func list(_ call: HTTPCall) async throws -> Response {
        let query = try Self.query(try call.query(Self.names))
        var pages = EventPages(query, rights: call.principal.rights, log: self.log)
        let first = try await pages.next()
        if CloudEventNegotiation.wants(CloudEventName.batchMediaType, call.request.headers) {
            return Self.cloudEvents(first, pages)
        }
        if pages.isComplete {
            return .json { writer in
                writer.literal("{\"events\":[")
                writer.write(first, isFirst: true)
                writer.write(endOfEvents: pages.nextAfter)
            }
        }
        // More than one page: send each before the next is read.
        let rest = pages
        return Response(
            status: .ok, headers: .json,
            body: ResponseBody { out in
                var pages = rest
                var writer = JSONWriter(capacity: 64 << 10)
                writer.literal("{\"events\":[")
                var isEmpty = first.isEmpty
                writer.write(first, isFirst: true)
                while !pages.isComplete {
                    try await out.write(writer.withBytes { ByteBuffer(bytes: $0) })
                    writer.reset()
                    let page = try await pages.next()
                    writer.write(page, isFirst: isEmpty)
                    isEmpty = isEmpty && page.isEmpty
                }
                writer.write(endOfEvents: pages.nextAfter)
                try await out.write(writer.withBytes { ByteBuffer(bytes: $0) })
                try await out.finish(nil)
            })
    }

    /// An array of CloudEvents; the next page starts after the `tidingsoffset` of the last.
    private static func cloudEvents(_ first: [LoggedEvent], _ rest: EventPages) -> Response {
        Response(
            status: .ok, headers: CloudEventNegotiation.headers(CloudEventName.batchMediaType),
            body: ResponseBody { out in
                var pages = rest
                var page = first
                var writer = JSONWriter(capacity: 64 << 10)
                writer.write(byte: UInt8(ascii: "["))
                var isFirst = true
                while true {
                    for logged in page {
                        if !isFirst { writer.write(byte: UInt8(ascii: ",")) }
                        isFirst = false
                        writer.write(cloudEvent: logged)
                    }
                    if pages.isComplete { break }
                    try await out.write(writer.withBytes { ByteBuffer(bytes: $0) })
                    writer.reset()
                    page = try await pages.next()
                }
                writer.write(byte: UInt8(ascii: "]"))
                try await out.write(writer.withBytes { ByteBuffer(bytes: $0) })
                try await out.finish(nil)
            })
    }

    func one(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        guard let id = EventID(call.parameter) else {
            throw Problem.badValue("event_id", "'event_id' must have 1...128 bytes")
        }
        guard let logged = try await self.log.event(id), call.principal.rights.includes(logged) else {
            throw Problem.notFound("There is no event \(call.parameter)")
        }
        if CloudEventNegotiation.wants(CloudEventName.jsonMediaType, call.request.headers) {
            return .cloudEvent(logged)
        }
        return .json { $0.write(logged) }
    }

    private static func query(_ parameters: QueryParameters) throws(Problem) -> LogQuery {
        var filter = try parameters.filter()
        if let text = try parameters.single("correlation_id") {
            guard let id = EventID(text) else {
                throw .badValue("correlation_id", "'correlation_id' must have 1...128 bytes")
            }
            filter.correlationID = id
        }
        filter.since = try parameters.time("since")
        filter.until = try parameters.time("until")
        var query = LogQuery(filter: filter, limit: Int(try parameters.integer("limit", in: 1...10_000) ?? 100))
        switch try parameters.single("order") {
        case nil, "asc": query.order = .ascending
        case "desc": query.order = .descending
        case .some(let other): throw .badValue("order", "'order' must be asc or desc, was \(other.prefix(32))")
        }
        if let after = try parameters.integer("after", in: 0...Int64.max) {
            if query.order == .ascending { query.after = after } else { query.through = after - 1 }
        }
        return query
    }
}

/// Reads what a query asks for in pages that fit into memory.
struct EventPages: Sendable {
    private var query: LogQuery
    private let rights: EventRights
    private let log: any EventLog
    private var remaining: Int
    private var pageSize = 100
    /// Whether everything asked for was read.
    private(set) var isComplete = false
    /// The last offset, when there is more behind it.
    private(set) var nextAfter: Int64?

    private static let pageBytes = 1 << 20

    /// - Parameter rights: what lies outside of them is passed over.
    init(_ query: LogQuery, rights: EventRights, log: any EventLog) {
        self.query = query
        self.query.filter = rights.narrowing(query.filter)
        self.rights = rights
        self.remaining = query.limit
        self.log = log
    }

    /// May be empty although there is more: what is there may not be for whoever asks.
    mutating func next() async throws(EventLogError) -> [LoggedEvent] {
        guard !self.isComplete else { return [] }
        // One more than is wanted tells whether there is more.
        self.query.limit = min(self.pageSize, self.remaining) + 1
        var page = try await self.log.read(self.query)
        let hasMore = page.count == self.query.limit
        if hasMore { page.removeLast() }
        let visible = page.filter { self.rights.includes($0) }
        self.remaining -= visible.count
        if let last = page.last {
            if self.query.order == .ascending {
                self.query.after = last.offset
            } else {
                self.query.through = last.offset - 1
            }
        }
        if !hasMore || self.remaining == 0 {
            self.isComplete = true
            self.nextAfter = hasMore ? page.last?.offset : nil
        }
        let bytes = page.reduce(0) { $0 + $1.withJSON { $0.count } }
        self.pageSize = page.isEmpty ? 100 : max(1, min(1000, Self.pageBytes * page.count / max(bytes, 1)))
        return visible
    }
}

extension JSONWriter {
    /// Writes `{"offset":n,"event":{...}}`.
    mutating func write(_ logged: LoggedEvent) {
        self.literal("{\"offset\":")
        self.write(logged.offset)
        self.literal(",\"event\":")
        logged.withJSON { self.write(bytes: $0) }
        self.write(byte: UInt8(ascii: "}"))
    }

    fileprivate mutating func write(_ events: [LoggedEvent], isFirst: Bool) {
        var isFirst = isFirst
        for logged in events {
            if !isFirst { self.write(byte: UInt8(ascii: ",")) }
            isFirst = false
            self.write(logged)
        }
    }

    fileprivate mutating func write(endOfEvents nextAfter: Int64?) {
        self.write(byte: UInt8(ascii: "]"))
        if let nextAfter {
            self.literal(",\"next_after\":")
            self.write(nextAfter)
        }
        self.write(byte: UInt8(ascii: "}"))
    }
}
