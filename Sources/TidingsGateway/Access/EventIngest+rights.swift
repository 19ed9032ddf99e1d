import Tidings

extension EventIngest {
    /// Publishes events that somebody sent, as far as they may send them; one outcome per event, in order, up to where the
    /// run stops.
    func publish(_ events: [StandardEvent], from caller: IngestCaller) async -> IngestRun {
        let principal = caller.principal
        if let refusal = self.refusal(of: principal) { return IngestRun(outcomes: events.map { _ in refusal }) }
        guard !principal.rights.isUnrestricted else { return await self.publish(tracing: events, from: caller) }
        let refusals = events.map { principal.rights.refusal(of: $0) }
        let run = await self.publish(tracing: zip(events, refusals).filter { $1 == nil }.map(\.0), from: caller)
        var outcomes = run.outcomes[...]
        var merged = IngestRun(stop: run.stop)
        for refusal in refusals {
            if let refusal {
                merged.outcomes.append(.refused(code: "forbidden", field: refusal.field, message: refusal.message))
            } else if let outcome = outcomes.popFirst() {
                merged.outcomes.append(outcome)
            } else {
                break
            }
        }
        return merged
    }

    /// Why somebody may send nothing at all; a long request, or a WebSocket, may outlive its token.
    private func refusal(of principal: Principal) -> IngestOutcome? {
        guard principal.scopes.contains(.publish) else {
            return .refused(code: "forbidden", field: nil, message: "this needs a token with the scope 'publish'")
        }
        guard self.access.holds(principal) else {
            return .refused(code: "forbidden", field: nil, message: "the access token has ended")
        }
        return nil
    }
}
