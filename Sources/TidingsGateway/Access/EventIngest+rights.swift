import Tidings

extension EventIngest {
    /// Publishes events that somebody sent, as far as they may send them; one outcome per event, in order.
    ///
    /// - Parameter position: where they stand in a trace.
    func publish(
        _ events: [StandardEvent], as principal: Principal, in position: TracePosition?
    ) async -> [IngestOutcome] {
        if let refusal = self.refusal(of: principal) { return events.map { _ in refusal } }
        guard !principal.rights.isUnrestricted else { return await self.publish(events, in: position) }
        let refusals = events.map { principal.rights.refusal(of: $0) }
        var outcomes = await self.publish(zip(events, refusals).filter { $1 == nil }.map(\.0), in: position)[...]
        return refusals.compactMap { refusal in
            guard let refusal else { return outcomes.popFirst() }
            return .refused(code: "forbidden", field: refusal.field, message: refusal.message)
        }
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
