import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// The answer to events that were sent: what became of each.
struct IngestReport {
    private struct Rejection {
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

    /// Where a body was given up before its end.
    private struct End {
        /// The first event that is to be sent again.
        let place: Int
        let problem: Problem
        let retryMilliseconds: Int?
    }

    /// Longer lists are cut, and say by how much. A JSON body has fewer events anyway.
    private static let mostRejections = 10_000
    private static let mostEntries = 100_000

    /// `index` or `line`.
    private let placeName: StaticString
    private let listsEvents: Bool
    private var accepted = 0
    private var duplicates = 0
    private var rejectedCount = 0
    private var rejected: [Rejection] = []
    private var entryCount = 0
    private var entries: [Entry] = []
    private var end: End?
    /// Whether the body is one event, so that what is wrong with it is wrong with the request.
    var isSingle = false

    init(placeName: StaticString, listsEvents: Bool) {
        self.placeName = placeName
        self.listsEvents = listsEvents
    }

    /// Whether nothing more is taken.
    var hasEnded: Bool { self.end != nil }

    // MARK: Noting

    /// Notes what became of some events. What stands behind the first that was not taken comes again and is not noted,
    /// unless it is in the log all the same.
    mutating func note(_ parsed: [ParsedEvent], _ run: IngestRun) {
        var outcomes = run.outcomes[...]
        for item in parsed {
            switch item.event {
            case .failure(let error):
                guard self.end == nil else { continue }
                self.reject(
                    Rejection(
                        place: item.place, code: error.code.rawValue, field: error.field, message: error.message))
            case .success(let event):
                if let outcome = outcomes.popFirst() {
                    if self.end == nil || outcome.isInLog { self.note(item.place, event, outcome) }
                } else if let stop = run.stop {
                    self.stop(item.place, stop)
                }
            }
        }
    }

    private mutating func note(_ place: Int, _ event: StandardEvent, _ outcome: IngestOutcome) {
        switch outcome {
        case .accepted(let offset):
            self.accepted += 1
            self.list(Entry(place: place, id: event.eventID, offset: offset, status: "accepted"))
        case .duplicate(let offset):
            self.duplicates += 1
            self.list(Entry(place: place, id: event.eventID, offset: offset, status: "duplicate"))
        case .refused(let code, let field, let message):
            self.reject(Rejection(place: place, code: code, field: field, message: message))
        case .unavailable(let stop): self.stop(place, stop)
        }
    }

    private mutating func reject(_ rejection: Rejection) {
        self.rejectedCount += 1
        if self.rejected.count < Self.mostRejections { self.rejected.append(rejection) }
    }

    private mutating func list(_ entry: Entry) {
        self.entryCount += 1
        if self.listsEvents && self.entries.count < Self.mostEntries { self.entries.append(entry) }
    }

    private mutating func stop(_ place: Int, _ stop: IngestStop) {
        var problem = Problem(
            stop.isClientsTurn ? .tooManyRequests : .serviceUnavailable, code: stop.code,
            "Taken up to \(self.placeName) \(place): \(stop.message)")
        problem.headers[.retryAfter] = "\(stop.retrySeconds)"
        self.end = self.end ?? End(place: place, problem: problem, retryMilliseconds: stop.retryMilliseconds)
    }

    /// Notes that the body is not read any further.
    ///
    /// - Parameter place: of the first event that was not read.
    mutating func giveUp(at place: Int, _ problem: Problem) {
        self.end = self.end ?? End(place: place, problem: problem, retryMilliseconds: nil)
    }

    // MARK: Answering

    var response: Response {
        if self.end == nil && self.accepted + self.duplicates > 0 {
            return .json(.accepted) { writer in
                writer.write(byte: UInt8(ascii: "{"))
                self.write(into: &writer)
                writer.write(byte: UInt8(ascii: "}"))
            }
        }
        let problem = self.end?.problem ?? self.problem
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
        guard let first = self.rejected.first else {
            return Problem(.badRequest, code: "no_events", "The body has no events")
        }
        let field = first.field.map { "\($0): " } ?? ""
        let isTooLarge = self.isSingle && first.code == EventDecodingError.Code.tooLarge.rawValue
        return Problem(
            isTooLarge ? .contentTooLarge : .badRequest, code: first.code, field: first.field,
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
            writer.literal(",\"rejected_more\":")
            writer.write(self.rejectedCount - self.rejected.count)
        }
        if let end = self.end {
            writer.literal(",\"resume_from\":")
            writer.write(end.place)
            if let milliseconds = end.retryMilliseconds {
                writer.literal(",\"retry_in_ms\":")
                writer.write(milliseconds)
            }
        }
        if self.listsEvents { self.writeEvents(into: &writer) }
    }

    private func writeEvents(into writer: inout JSONWriter) {
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
        if self.entryCount > self.entries.count {
            writer.literal(",\"events_more\":")
            writer.write(self.entryCount - self.entries.count)
        }
    }
}
