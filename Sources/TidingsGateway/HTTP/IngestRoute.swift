import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// `POST /api/v1/events`: answers once the log has committed what was accepted.
struct IngestRoute: Sendable {
    let ingest: EventIngest
    let limits: GatewayConfiguration.Limits
    /// Who sends.
    var caller = IngestCaller(principal: .stranger)

    private static let supported =
        "application/json, application/x-ndjson, \(CloudEventName.jsonMediaType) or \(CloudEventName.batchMediaType)"

    var defaults: EventDecodingDefaults {
        EventDecodingDefaults(
            source: self.caller.principal.source(or: "http"), maximumByteCount: self.limits.eventBytes)
    }

    func accept(_ call: HTTPCall) async throws -> Response {
        let query = try call.query(["ids"])
        let listsEvents = try query.flag("ids")
        let headers = call.request.headers
        let body = try BodyReader(call.request)
        let mediaType = MediaType(headers[.contentType] ?? "").essence
        switch mediaType {
        case CloudEventName.jsonMediaType: return try await self.postCloudEvents(call.request, body, isBatch: false)
        case CloudEventName.batchMediaType: return try await self.postCloudEvents(call.request, body, isBatch: true)
        case _ where CloudEvent.isBinary(headers): return try await self.postBinary(call.request, body)
        case "application/json": return try await self.postJSON(call.request, body)
        case _ where Self.isLines(mediaType): return try await self.postLines(body, listsEvents: listsEvents)
        case "":
            throw Problem(
                .unsupportedMediaType, code: "missing_content_type", field: "Content-Type",
                "Content-Type must say \(Self.supported)")
        default:
            throw Problem(
                .unsupportedMediaType, code: "unsupported_content_type", field: "Content-Type",
                "Content-Type must be \(Self.supported), was \(mediaType.prefix(100)); with anything else the attributes"
                    + " of a CloudEvent have to be in ce- headers")
        }
    }

    /// Whether a body of this type is read line by line, however long it is.
    static func isLines(_ mediaType: String) -> Bool {
        switch mediaType {
        case "application/x-ndjson", "application/ndjson", "application/jsonl": true
        default: false
        }
    }

    // MARK: Whole bodies

    /// A body that fits into memory.
    func collect(_ request: Request, _ body: BodyReader, limit: Int? = nil) async throws -> ByteBuffer {
        let limit = limit ?? self.limits.bodyBytes
        var tooLarge = Problem(
            .contentTooLarge, code: "body_too_large",
            limit < self.limits.bodyBytes
                ? "An event may have \(limit) bytes"
                : "A JSON body may have \(limit) bytes; send more as application/x-ndjson")
        // Behind the answer the rest of the body is thrown away, so the connection cannot be used again.
        tooLarge.headers[.connection] = "close"
        if body.isPlain, let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw tooLarge
        }
        var body = body
        var collected = ByteBuffer()
        while var part = try await body.next() {
            guard collected.readableBytes + part.readableBytes <= limit else { throw tooLarge }
            collected.writeBuffer(&part)
        }
        return collected
    }

    private func postJSON(_ request: Request, _ body: BodyReader) async throws -> Response {
        let body = try await self.collect(request, body)
        var report = IngestReport(placeName: "index", listsEvents: true)
        let parsed = try self.parse(body, &report) { reader throws(JSONSyntaxError) in try self.readEvent(&reader) }
        let events = parsed.events
        report.note(parsed, events.isEmpty ? IngestRun() : await self.ingest.publish(events, from: self.caller))
        return report.response
    }

    typealias ReadEvent = (inout JSONReader) throws(JSONSyntaxError) -> Result<StandardEvent, EventDecodingError>

    /// The events of a body: one, or an array. JSON that is broken anywhere is refused whole.
    func parse(
        _ body: ByteBuffer, _ report: inout IngestReport, _ read: ReadEvent
    ) throws(Problem) -> [ParsedEvent] {
        var parsed: [ParsedEvent] = []
        var isSingle = false
        do throws(JSONSyntaxError) {
            try body.withUnsafeReadableBytes { bytes throws(JSONSyntaxError) in
                var reader = JSONReader(bytes)
                if try reader.kind() == .array {
                    try reader.beginArray()
                    var isFirst = true
                    while parsed.count <= self.limits.bodyEvents, try reader.nextElement(isFirst: &isFirst) {
                        parsed.append(ParsedEvent(place: parsed.count, event: try read(&reader)))
                    }
                } else {
                    isSingle = true
                    parsed.append(ParsedEvent(place: 0, event: try read(&reader)))
                }
                if parsed.count <= self.limits.bodyEvents { try reader.expectEnd() }
            }
        } catch {
            throw Problem(.badRequest, code: "invalid_json", "Invalid JSON: \(error.message)")
        }
        if parsed.count > self.limits.bodyEvents {
            throw Problem(
                .contentTooLarge, code: "too_many_events",
                "A JSON body may have \(self.limits.bodyEvents) events; send more as application/x-ndjson")
        }
        report.isSingle = isSingle
        return parsed
    }

    private func readEvent(
        _ reader: inout JSONReader
    ) throws(JSONSyntaxError) -> Result<StandardEvent, EventDecodingError> {
        let start = reader.index
        do throws(EventDecodingError) {
            return .success(try StandardEvent(from: &reader, defaults: self.defaults))
        } catch {
            guard error.code == .invalidJSON else { return .failure(error) }
            // Broken JSON: read it again for the exact place, as nothing behind it can be trusted.
            reader.index = start
            try reader.skipValue()
            return .failure(error)
        }
    }
}
