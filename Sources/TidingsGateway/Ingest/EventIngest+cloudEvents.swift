import Tidings

extension EventIngest {
    /// Publishes events that came as CloudEvents.
    ///
    /// A CloudEvent is known by its source and its id together (CloudEvents 1.0.2, section 3.1.1), ours by its id alone.
    /// So the id of a CloudEvent is the event's id unless the log has another source's event by that name: then the event
    /// gets one made of both, which is the same each time, and keeps its own in `cloud_event.id`.
    func publish(cloudEvents events: [StandardEvent], from caller: IngestCaller) async -> IngestRun {
        var run = await self.publish(events, from: caller)
        var clashes: [(place: Int, event: StandardEvent)] = []
        for (place, outcome) in run.outcomes.enumerated() {
            guard case .duplicate = outcome else { continue }
            let event = events[place]
            guard let logged = try? await self.log.event(event.eventID), let known = try? logged.event(),
                known.source != event.source
            else { continue }
            clashes.append((place, event.renamed))
        }
        guard !clashes.isEmpty else { return run }
        let again = await self.publish(clashes.map(\.event), from: caller)
        for (clash, outcome) in zip(clashes, again.outcomes) { run.outcomes[clash.place] = outcome }
        if let stop = again.stop {
            for clash in clashes.dropFirst(again.outcomes.count) { run.outcomes[clash.place] = .unavailable(stop) }
        }
        return run
    }
}

extension StandardEvent {
    /// This event with an id of its source's own.
    var renamed: StandardEvent {
        let (id, source) = ("\(self.eventID)", "\(self.source)")
        var event = self
        event.eventID = Self.joinedID(id, source)
        if self.correlationID == self.eventID { event.correlationID = event.eventID }
        let remark = self.extra?[CloudEventName.eventKey]?.object ?? JSONObject()
        event.extra = (self.extra ?? JSONObject()).setting(
            CloudEventName.eventKey, to: .object(remark.setting("id", to: .string(id))))
        return event
    }

    private static func joinedID(_ id: String, _ source: String) -> EventID {
        if let joined = EventID("\(id)@\(source)") { return joined }
        var hash = StableHash()
        hash.combine(source)
        hash.combine(id)
        let (high, low) = hash.finish()
        // Too long for that. 128 bits lie between taking one event for another.
        return EventID(high: high, low: low)
    }
}
