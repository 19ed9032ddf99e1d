extension MemoryEventBus {
    /// Publishes batches one after the other and waits for the log once; see ``EventBus/publish(_:patience:)``.
    ///
    /// The log commits what comes while it writes in one transaction, so a long run costs a few commits, not one for each
    /// batch.
    public func publish(
        _ batches: [EventBatch], patience: Duration
    ) async -> [Result<PublishReport, EventBusError>] {
        let limit = RoomLimit(patience)
        var handed: [HandedOver] = []
        handed.reserveCapacity(batches.count)
        var failure: EventBusError?
        for batch in batches {
            do throws(EventBusError) {
                handed.append(try await self.hand(over: batch, limit))
            } catch {
                failure = error
                break
            }
        }
        var results: [Result<PublishReport, EventBusError>] = []
        results.reserveCapacity(batches.count)
        for batch in handed { results.append(.success(await self.committed(batch))) }
        if let failure {
            while results.count < batches.count { results.append(.failure(failure)) }
        }
        return results
    }
}
