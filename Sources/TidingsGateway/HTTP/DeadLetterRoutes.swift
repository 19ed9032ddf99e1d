import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// `/api/v1/dead-letters`: the events that handlers gave up on, to be read, tried again or discarded.
struct DeadLetterRoutes: Sendable {
    let store: any DeadLetterStore
    let retryDeadLetter: @Sendable (EventID) async throws -> Void

    func list(_ call: HTTPCall) async throws -> Response {
        let parameters = try call.query(["after", "limit"])
        let limit = Int(try parameters.integer("limit", in: 1...10_000) ?? 100)
        let after = try parameters.single("after").map { text throws(Problem) in try Self.id(text, field: "after") }
        var pages = DeadLetterPages(after: after, limit: limit, rights: call.principal.rights, store: self.store)
        let first = try await pages.next()
        if pages.isComplete {
            return .json { writer in
                writer.literal("{\"dead_letters\":[")
                writer.write(first, isFirst: true)
                writer.write(endOfLetters: pages.nextAfter)
            }
        }
        // More than one page: send each before the next is read.
        let rest = pages
        return Response(
            status: .ok, headers: .json,
            body: ResponseBody { out in
                var pages = rest
                var writer = JSONWriter(capacity: 64 << 10)
                writer.literal("{\"dead_letters\":[")
                var isEmpty = first.isEmpty
                writer.write(first, isFirst: true)
                while !pages.isComplete {
                    try await out.write(writer.withBytes { ByteBuffer(bytes: $0) })
                    writer.reset()
                    let page = try await pages.next()
                    writer.write(page, isFirst: isEmpty)
                    isEmpty = isEmpty && page.isEmpty
                }
                writer.write(endOfLetters: pages.nextAfter)
                try await out.write(writer.withBytes { ByteBuffer(bytes: $0) })
                try await out.finish(nil)
            })
    }

    func one(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        let id = try Self.id(call.parameter, field: "id")
        let letter = try await self.letter(id, call)
        return .json { $0.write(letter) }
    }

    /// Gives the event to the handler that failed, and to no other.
    func retry(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        let id = try Self.id(call.parameter, field: "id")
        _ = try await self.letter(id, call)
        do {
            try await self.retryDeadLetter(id)
        } catch let error as EventBusError {
            switch error.code {
            case .notFound: throw Self.missing(id)
            case .noSuchHandler: throw Problem(.conflict, code: error.code.rawValue, error.message)
            default: throw Problem.unavailable(code: error.code.rawValue, error.message)
            }
        }
        return .json(.accepted) { writer in
            writer.literal("{\"id\":")
            writer.write(id)
            writer.literal(",\"status\":\"retried\"}")
        }
    }

    func remove(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        let id = try Self.id(call.parameter, field: "id")
        if !call.principal.rights.isUnrestricted { _ = try await self.letter(id, call) }
        guard try await self.store.remove(id) else { throw Self.missing(id) }
        return Response(status: .noContent, headers: [.cacheControl: "no-store"])
    }

    func purge(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        guard call.principal.rights.isUnrestricted else {
            throw Problem(
                .forbidden, code: "forbidden",
                "This token may see some types or symbols only, so it may not discard all")
        }
        let count = try await self.store.removeAll()
        return .json { writer in
            writer.literal("{\"purged\":")
            writer.write(count)
            writer.literal("}")
        }
    }

    private func letter(_ id: EventID, _ call: HTTPCall) async throws -> DeadLetter {
        guard let letter = try await self.store.letter(id), call.principal.rights.includes(letter.event) else {
            throw Self.missing(id)
        }
        return letter
    }

    private static func id(_ text: String, field: String) throws(Problem) -> EventID {
        guard let id = EventID(text) else { throw .badValue(field, "'\(field)' must have 1...128 bytes") }
        return id
    }

    private static func missing(_ id: EventID) -> Problem {
        .notFound("There is no dead letter \(id)")
    }
}

/// Reads a list of dead letters in pages that fit into memory.
private struct DeadLetterPages: Sendable {
    private let store: any DeadLetterStore
    private let rights: EventRights
    private var after: EventID?
    private var remaining: Int
    private var pageSize = 16
    /// Whether everything asked for was read.
    private(set) var isComplete = false
    /// The last letter, when there is more behind it.
    private(set) var nextAfter: EventID?

    private static let pageBytes = 1 << 20

    init(after: EventID?, limit: Int, rights: EventRights, store: any DeadLetterStore) {
        self.rights = rights
        self.after = after
        self.remaining = limit
        self.store = store
    }

    /// The next letters, each as JSON.
    mutating func next() async throws(EventLogError) -> [(id: EventID, json: String)] {
        guard !self.isComplete else { return [] }
        // One more than is wanted tells whether there is more.
        let wanted = min(self.pageSize, self.remaining) + 1
        var letters = try await self.store.letters(after: self.after, limit: wanted)
        let hasMore = letters.count == wanted
        if hasMore { letters.removeLast() }
        let visible = letters.filter { self.rights.includes($0.event) }
        self.remaining -= visible.count
        if let last = letters.last { self.after = last.id }
        if !hasMore || self.remaining == 0 {
            self.isComplete = true
            self.nextAfter = hasMore ? letters.last?.id : nil
        }
        let page = visible.map { (id: $0.id, json: $0.json) }
        let bytes = page.reduce(0) { $0 + $1.json.utf8.count }
        self.pageSize = page.isEmpty ? 16 : max(1, min(1000, Self.pageBytes * page.count / max(bytes, 1)))
        return page
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ letters: [(id: EventID, json: String)], isFirst: Bool) {
        var isFirst = isFirst
        for letter in letters {
            if !isFirst { self.write(byte: UInt8(ascii: ",")) }
            isFirst = false
            self.write(unescaped: letter.json)
        }
    }

    fileprivate mutating func write(endOfLetters nextAfter: EventID?) {
        self.write(byte: UInt8(ascii: "]"))
        if let nextAfter {
            self.literal(",\"next_after\":")
            self.write(nextAfter)
        }
        self.write(byte: UInt8(ascii: "}"))
    }
}
