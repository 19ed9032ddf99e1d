import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// `POST /api/v1/events`: answers once the log has committed what was accepted.
struct IngestRoute: Sendable {
    let ingest: EventIngest
    let limits: GatewayConfiguration.Limits
    /// Where the request stands in a trace.
    var position: TracePosition?
    /// Who sends.
    var principal = Principal.stranger

    private static let supported = "application/json or application/x-ndjson"

    private var defaults: EventDecodingDefaults {
        EventDecodingDefaults(source: self.principal.source(or: "http"), maximumByteCount: self.limits.eventBytes)
    }

    func accept(_ call: HTTPCall) async throws -> Response {
        let query = try call.query(["ids"])
        let listsEvents = try query.flag("ids")
        if let encoding = call.request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, code: "unsupported_encoding", field: "Content-Encoding",
                "The body has to come as it is, without \(encoding.prefix(64))")
        }
        let mediaType = (call.request.headers[.contentType] ?? "").prefix { $0 != ";" }
        switch mediaType.lowercased().filter({ $0 != " " }) {
        case "application/json": return try await self.postJSON(call.request)
        case "application/x-ndjson", "application/ndjson", "application/jsonl":
            return try await self.postLines(call.request, listsEvents: listsEvents)
        case "":
            throw Problem(
                .unsupportedMediaType, code: "missing_content_type", field: "Content-Type",
                "Content-Type must say \(Self.supported)")
        default:
            throw Problem(
                .unsupportedMediaType, code: "unsupported_content_type", field: "Content-Type",
                "Content-Type must be \(Self.supported), was \(mediaType.prefix(100))")
        }
    }

    // MARK: JSON

    private func postJSON(_ request: Request) async throws -> Response {
        let body = try await self.collect(request)
        let parsed = try body.withUnsafeReadableBytes { bytes throws(Problem) in try self.parse(bytes) }
        var report = IngestReport(placeName: "index", listsEvents: true)
        await self.publish(parsed, into: &report)
        return report.response
    }

    private func collect(_ request: Request) async throws -> ByteBuffer {
        var tooLarge = Problem(
            .contentTooLarge, code: "body_too_large",
            "A JSON body may have \(self.limits.bodyBytes) bytes; send more as application/x-ndjson")
        // Behind the answer the rest of the body is thrown away, so the connection cannot be used again.
        tooLarge.headers[.connection] = "close"
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > self.limits.bodyBytes {
            throw tooLarge
        }
        var body = ByteBuffer()
        for try await var part in request.body {
            guard body.readableBytes + part.readableBytes <= self.limits.bodyBytes else { throw tooLarge }
            body.writeBuffer(&part)
        }
        return body
    }

    private struct Parsed {
        let place: Int
        let event: Result<StandardEvent, EventDecodingError>
    }

    /// The events of a body: one, or an array. JSON that is broken anywhere is refused whole.
    private func parse(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> [Parsed] {
        var reader = JSONReader(bytes)
        var parsed: [Parsed] = []
        do throws(JSONSyntaxError) {
            if try reader.kind() == .array {
                try reader.beginArray()
                var isFirst = true
                while parsed.count <= self.limits.bodyEvents, try reader.nextElement(isFirst: &isFirst) {
                    parsed.append(Parsed(place: parsed.count, event: try self.readEvent(&reader)))
                }
            } else {
                parsed.append(Parsed(place: 0, event: try self.readEvent(&reader)))
            }
            if parsed.count <= self.limits.bodyEvents { try reader.expectEnd() }
        } catch {
            throw Problem(.badRequest, code: "invalid_json", "Invalid JSON: \(error.message)")
        }
        if parsed.count > self.limits.bodyEvents {
            throw Problem(
                .contentTooLarge, code: "too_many_events",
                "A JSON body may have \(self.limits.bodyEvents) events; send more as application/x-ndjson")
        }
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

    private func publish(_ parsed: [Parsed], into report: inout IngestReport) async {
        let good = parsed.compactMap { item in (try? item.event.get()).map { (item.place, $0) } }
        for item in parsed {
            if case .failure(let error) = item.event { report.reject(item.place, error) }
        }
        guard !good.isEmpty else { return }
        let outcomes = await self.ingest.publish(good.map(\.1), as: self.principal, in: self.position)
        for ((place, event), outcome) in zip(good, outcomes) { report.note(place, event, outcome) }
    }

    // MARK: NDJSON

    /// Publishes what each part of the body completes before it reads on, so that a producer feels a bus that is full.
    private func postLines(_ request: Request, listsEvents: Bool) async throws -> Response {
        var report = IngestReport(placeName: "line", listsEvents: listsEvents)
        var splitter = LineSplitter(limit: self.limits.eventBytes)
        for try await part in request.body {
            var parsed: [Parsed] = []
            part.withUnsafeReadableBytes { bytes in
                splitter.feed(bytes) { parsed.append(self.parse($0, number: $1)) }
            }
            await self.publish(parsed, into: &report)
            if report.isUnavailable { return report.response }
        }
        var last: [Parsed] = []
        splitter.finish { last.append(self.parse($0, number: $1)) }
        await self.publish(last, into: &report)
        return report.response
    }

    private func parse(_ line: LineSplitter.Line, number: Int) -> Parsed {
        guard case .text(let bytes) = line else {
            let message = "the line is longer than \(self.limits.eventBytes) bytes"
            return Parsed(place: number, event: .failure(EventDecodingError(.tooLarge, message: message)))
        }
        do throws(EventDecodingError) {
            return Parsed(place: number, event: .success(try StandardEvent(json: bytes, defaults: self.defaults)))
        } catch {
            return Parsed(place: number, event: .failure(error))
        }
    }
}
