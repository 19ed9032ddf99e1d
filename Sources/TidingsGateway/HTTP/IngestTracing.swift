import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings
import Tracing

extension IngestRoute {
    /// `POST /api/v1/events`. The events of a request that says where it stands in a trace belong to that trace; where the
    /// program has a tracer the request is a span of it.
    func post(_ call: HTTPCall) async throws -> Response {
        var route = self
        route.caller = IngestCaller(principal: call.principal, address: call.remoteAddress)
        if let traceparent = HTTPField.Name(TracePosition.parentKey),
            let tracestate = HTTPField.Name(TracePosition.stateKey)
        {
            let headers = call.request.headers
            route.caller.position = TracePosition(traceparent: headers[traceparent], tracestate: headers[tracestate])
        }
        guard let tracer = self.ingest.tracer else { return try await route.accept(call) }
        let attributes: SpanAttributes = [
            "http.request.method": "POST", "http.route": "/api/v1/events", "url.path": "/api/v1/events",
        ]
        let named = route
        return try await tracer.span(
            "POST /api/v1/events", .server, continuing: route.caller.position, isRoot: true, attributes
        ) {
            span in
            let response: Response
            do {
                response = try await named.accept(call)
            } catch let problem as Problem {
                response = problem.response
            }
            span.attributes["http.response.status_code"] = response.status.code
            if response.status.code >= 500 { span.setStatus(SpanStatus(code: .error)) }
            return response
        }
    }
}

extension EventIngest {
    /// Publishes events that a client may send; see ``publish(_:of:)``.
    ///
    /// - Parameter caller: its position in a trace is the events', unless they say so themselves or a span is made for them
    ///   here.
    func publish(tracing events: [StandardEvent], from caller: IngestCaller) async -> IngestRun {
        guard let tracer = self.tracer else {
            guard let position = caller.position else { return await self.publish(events, of: caller.sender) }
            return await self.publish(events.map { $0.tracing(position) }, of: caller.sender)
        }
        let attributes: SpanAttributes = [
            "messaging.system": "tidings", "messaging.operation.name": "publish",
            "messaging.batch.message_count": .int64(Int64(events.count)),
        ]
        return await tracer.span("publish events", .producer, attributes) { _ in
            let position = tracer.position ?? caller.position
            let placed = position.map { position in events.map { $0.tracing(position) } } ?? events
            return await self.publish(placed, of: caller.sender)
        }
    }
}
