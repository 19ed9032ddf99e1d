import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// The answer to events that were sent: what became of each.
struct IngestReport {
    struct Rejection {
        let place: Int
        let code: String
        let field: String?
        let message: String
    }

    private struct Entry {
        let place: Int
        let id: EventID
        let offset: Int64?
        let status: StaticString
    }

    /// Longer lists are cut, and say so.
    private static let longestList = 100_000

    /// `index` or `line`.
    private let placeName: StaticString
    private let listsEvents: Bool
    private var accepted = 0
    private var duplicates = 0
    private var unavailable: (code: String, message: String)?
    private var rejectedCount = 0
    private var rejected: [Rejection] = []
    private var entries: [Entry] = []
    private var entriesCut = false

    init(placeName: StaticString, listsEvents: Bool) {
        self.placeName = placeName
        self.listsEvents = listsEvents
    }

    mutating func reject(_ place: Int, _ error: EventDecodingError) {
        self.reject(Rejection(place: place, code: error.code.rawValue, field: error.field, message: error.message))
    }

    private mutating func reject(_ rejection: Rejection) {
        self.rejectedCount += 1
        if self.rejected.count < Self.longestList { self.rejected.append(rejection) }
    }

    mutating func note(_ place: Int, _ event: StandardEvent, _ outcome: IngestOutcome) {
        switch outcome {
        case .accepted(let offset):
            self.accepted += 1
            self.list(Entry(place: place, id: event.eventID, offset: offset, status: "accepted"))
        case .duplicate(let offset):
            self.duplicates += 1
            self.list(Entry(place: place, id: event.eventID, offset: offset, status: "duplicate"))
        case .refused(let code, let field, let message):
            self.reject(Rejection(place: place, code: code, field: field, message: message))
        case .unavailable(let code, let message):
            self.unavailable = (code, message)
            self.reject(Rejection(place: place, code: code, field: nil, message: message))
        }
    }

    private mutating func list(_ entry: Entry) {
        guard self.listsEvents else { return }
        if self.entries.count < Self.longestList { self.entries.append(entry) } else { self.entriesCut = true }
    }

    /// Whether the bus or the log stopped taking events.
    var isUnavailable: Bool { self.unavailable != nil }

    var response: Response {
        if self.accepted + self.duplicates > 0 {
            return .json(.accepted) { writer in
                writer.write(byte: UInt8(ascii: "{"))
                self.write(into: &writer)
                writer.write(byte: UInt8(ascii: "}"))
            }
        }
        let problem = self.problem
        var response = Response.json(problem.status) { writer in
            writer.write(byte: UInt8(ascii: "{"))
            problem.write(into: &writer)
            writer.write(byte: UInt8(ascii: ","))
            self.write(into: &writer)
            writer.write(byte: UInt8(ascii: "}"))
        }
        response.headers.append(contentsOf: problem.headers)
        response.headers[.contentType] = Problem.contentType
        return response
    }

    private var problem: Problem {
        if let unavailable = self.unavailable {
            return .unavailable(code: unavailable.code, "No event was taken: \(unavailable.message)")
        }
        guard let first = self.rejected.first else {
            return Problem(.badRequest, code: "no_events", "The body has no events")
        }
        let field = first.field.map { "\($0): " } ?? ""
        return Problem(
            .badRequest, code: first.code, field: first.field,
            "No event was accepted; \(self.placeName) \(first.place): \(field)\(first.message)")
    }

    private func write(into writer: inout JSONWriter) {
        writer.literal("\"accepted\":")
        writer.write(self.accepted)
        writer.literal(",\"duplicates\":")
        writer.write(self.duplicates)
        writer.literal(",\"rejected\":[")
        for (index, rejection) in self.rejected.enumerated() {
            writer.literal(index > 0 ? ",{\"" : "{\"")
            writer.literal(self.placeName)
            writer.literal("\":")
            writer.write(rejection.place)
            writer.literal(",\"error\":{\"code\":")
            writer.write(string: rejection.code)
            if let field = rejection.field {
                writer.literal(",\"field\":")
                writer.write(string: field)
            }
            writer.literal(",\"message\":")
            writer.write(string: rejection.message)
            writer.literal("}}")
        }
        writer.literal("]")
        if self.rejectedCount > self.rejected.count {
            writer.literal(",\"rejected_count\":")
            writer.write(self.rejectedCount)
        }
        guard self.listsEvents else { return }
        writer.literal(",\"events\":[")
        for (index, entry) in self.entries.enumerated() {
            writer.literal(index > 0 ? ",{\"" : "{\"")
            writer.literal(self.placeName)
            writer.literal("\":")
            writer.write(entry.place)
            writer.literal(",\"event_id\":")
            writer.write(entry.id)
            if let offset = entry.offset {
                writer.literal(",\"offset\":")
                writer.write(offset)
            }
            writer.literal(",\"status\":\"")
            writer.literal(entry.status)
            writer.literal("\"}")
        }
        writer.literal("]")
        if self.entriesCut { writer.literal(",\"events_cut\":true") }
    }
}
