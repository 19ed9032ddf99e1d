package import Tracing

/// Makes the spans of events. There is one only in a program that has bootstrapped a tracer; in others nothing is asked and
/// nothing is spent.
package struct EventTracer: Sendable {
    private let tracer: any Tracer

    /// The tracer that the program was bootstrapped with. Asked once, by what lives long: so a program bootstraps its
    /// tracer before it makes its bus.
    package static var current: EventTracer? {
        let tracer = InstrumentationSystem.tracer
        return tracer is NoOpTracer ? nil : EventTracer(tracer: tracer)
    }

    // MARK: Positions

    /// Where the work of the current task stands in its trace, for others to go on from.
    package var position: TracePosition? {
        guard let context = ServiceContext.current else { return nil }
        var carrier: [String: String] = [:]
        self.tracer.inject(context, into: &carrier, using: Carrier())
        return TracePosition(
            traceparent: carrier[TracePosition.parentKey], tracestate: carrier[TracePosition.stateKey])
    }

    private struct Carrier: Injector, Extractor {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
            carrier[key.lowercased()] = value
        }

        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key.lowercased()] }
    }

    // MARK: Spans

    /// Runs `body` in a span of its own, with what it throws on the span.
    ///
    /// - Parameters:
    ///   - position: what the span continues; the current span when there is none.
    ///   - isRoot: whether the current span has nothing to do with it.
    package func span<Result>(
        _ name: String, _ kind: SpanKind, continuing position: TracePosition? = nil, isRoot: Bool = false,
        _ attributes: SpanAttributes = [:], _ body: (any Span) async throws -> Result
    ) async rethrows -> Result {
        var context = isRoot ? ServiceContext.topLevel : ServiceContext.current ?? .topLevel
        if let position {
            let carrier = Dictionary(position.members) { $1 }
            self.tracer.extract(carrier, into: &context, using: Carrier())
        }
        let span = self.tracer.startSpan(name, context: context, ofKind: kind)
        span.attributes.merge(attributes)
        defer { span.end() }
        do {
            return try await ServiceContext.withValue(span.context) { try await body(span) }
        } catch {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error))
            throw error
        }
    }

    /// A handler whose every call is a span that continues the trace of its event.
    func tracing(
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void, named name: String
    ) -> @Sendable (StandardEvent) async throws -> Void {
        { event in
            let attributes: SpanAttributes = [
                "messaging.system": "tidings", "messaging.operation.name": "process",
                "messaging.message.id": .string("\(event.eventID)"), LogKey.eventType: .string("\(event.eventType)"),
                LogKey.subscriber: .string(name),
            ]
            // A worker's own task was made by whoever subscribed, whose span is another matter.
            try await self.span("process \(name)", .consumer, continuing: event.tracePosition, isRoot: true, attributes)
            {
                _ in try await handler(event)
            }
        }
    }
}
