import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// CloudEvents 1.0.2 over HTTP (HTTP Protocol Binding for CloudEvents 1.0.2): structured, batched and binary.
extension IngestRoute {
    /// - Parameter isBatch: whether the media type says that there is an array.
    func postCloudEvents(_ request: Request, _ body: BodyReader, isBatch: Bool) async throws -> Response {
        let body = try await self.collect(request, body)
        var report = IngestReport(placeName: "index", listsEvents: true)
        let defaults = self.defaults
        let parsed = try self.parse(body, &report) { reader throws(JSONSyntaxError) in
            try CloudEvent.event(&reader, defaults)
        }
        guard report.isSingle != isBatch else {
            throw Problem(
                .badRequest, code: "not_an_event", field: "Content-Type",
                isBatch
                    ? "\(CloudEventName.batchMediaType) must be an array of events"
                    : "\(CloudEventName.jsonMediaType) must be one event; an array is \(CloudEventName.batchMediaType)")
        }
        await self.publish(parsed, into: &report)
        return report.response
    }

    func postBinary(_ request: Request, _ body: BodyReader) async throws -> Response {
        let body = try await self.collect(request, body, limit: self.limits.eventBytes)
        var report = IngestReport(placeName: "index", listsEvents: true)
        report.isSingle = true
        let event: Result<StandardEvent, EventDecodingError>
        do throws(EventDecodingError) {
            event = .success(try CloudEvent.binary(request.headers, body: body).event(self.defaults))
        } catch {
            event = .failure(error)
        }
        await self.publish([ParsedEvent(place: 0, event: event)], into: &report)
        return report.response
    }

    private func publish(_ parsed: [ParsedEvent], into report: inout IngestReport) async {
        let events = parsed.events
        report.note(
            parsed,
            events.isEmpty ? IngestRun() : await self.ingest.publish(cloudEvents: events, from: self.caller))
    }
}

extension CloudEvent {
    /// Reads the event that stands next as JSON.
    static func event(
        _ reader: inout JSONReader, _ defaults: EventDecodingDefaults
    ) throws(JSONSyntaxError) -> Result<StandardEvent, EventDecodingError> {
        switch try self.read(&reader, maximumByteCount: defaults.maximumByteCount) {
        case .failure(let error): return .failure(error)
        case .success(let event):
            do throws(EventDecodingError) {
                return .success(try event.event(defaults))
            } catch {
                return .failure(error)
            }
        }
    }
}
