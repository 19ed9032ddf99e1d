import Testing
import Tidings
import TidingsTesting

/// The suite is worth something only if it finds faults.
@Suite(.timeLimit(.minutes(5))) struct FaultyBusTests {
    /// The check that has to find each fault.
    private static let expected: [(Fault, String)] = [
        (.losesSome, "events of one publisher reach a handler in publish order"),
        (.losesSome, "every subscription gets every event"),
        (.losesOnePublisherInFive, "several publishers at once each keep their order"),
        (.reordersPairs, "events of one publisher reach whoever draws batches in publish order"),
        (.reordersOneType, "events of one publisher keep their order across types"),
        (.delaysOne, "events of one publisher keep their order within each type and symbol"),
        (.interleavesBatches, "events of one publisher reach a handler in publish order"),
        (
            .ignoresPriorities,
            "a waiting urgent event is next after the call in progress, and the rest keep their order"
        ),
        (.deliversOncePerPattern, "an event is delivered once however many patterns of a subscription match"),
        (.ignoresFilters, "an event reaches exactly the subscriptions whose filter matches"),
        (.deliversTwice, "no event is delivered twice"),
        (.acceptsDuplicates, "an event that was published already is a duplicate and is not delivered again"),
        (.refusesInsteadOfWaiting, "publishers wait for room in a subscription that asks them to, and nothing is lost"),
        (.neverFull, "tryPublish delivers to all subscriptions or says full and delivers to none"),
        (.dropsTheNewestForTheOldest, "dropOldest keeps the newest events and tells of the gap"),
        (.dropsTheOldestForTheNewest, "dropNewest keeps the oldest events and tells of the gap"),
        (.ignoresConflation, "conflate keeps the newest event of each key, which is no loss"),
        (.waitsForEverybody, "a stuck subscription that drops delays no other and no publisher"),
        (.waitsForEverybody, "only publishers of what a full subscription wants wait for it"),
        (.tapsAreLate, "a tap is called before publishing returns"),
        (.forgetsFailures, "a tap that throws stops nobody and is counted"),
        (.tapErrorsReachPublishers, "a tap that throws stops nobody and is counted"),
        (
            .givesUpAfterAFailure,
            "a handler that throws stops nobody, is counted and is called again with the next event"
        ),
        (.keepsFailuresToItself, "an error event of priority 1 tells of a handler that gave up"),
        (.neverRetries, "a failed call is made again as often as its policy says"),
        (.ignoresDeadlines, "a call past its deadline is cancelled and the next event is handled"),
        (.ignoresConcurrency, "no more calls run at once than a handler asks for, and as many as that do"),
        (.runsSerialInParallel, "a serial handler is never called twice at once"),
        (.ignoresConcurrency, "a keyed handler is serial for each key and runs different keys at once"),
        (.ignoresKeys, "a keyed handler is serial for each key and runs different keys at once"),
        (.inventsParents, "an event without a cause is its own correlation and has no parent"),
        (.forgetsTheCause, "what handlers publish inherits the correlation and names its parent, however deep"),
        (.inventsParents, "what is published while a drawn event is being handled names that as its parent"),
        (.inventsParents, "an event that names its own parent keeps it"),
        (.forgetsTheCause, "a circular chain is refused, and the report names everybody on the way"),
        (.forgetsTheCause, "a chain of more than thirty-two consequences is refused"),
        (.acceptsDuplicates, "the counters say what was published, delivered and recognised as known"),
        (.letsSecretsThrough, "no subscriber of any kind sees a secret"),
        (.refusesWithNobodyListening, "publishing with nobody listening is accepted"),
        (.tapsAreLate, "an emitter emits whether or not anybody listens, and never throws"),
        (.stopsWithoutDraining, "stopping handles everything that was accepted, and what handling it publishes"),
        (.stopsWithoutDraining, "whoever draws batches gets what was accepted before the stop, and then the end"),
        (.acceptsAfterStop, "publishing after stop is an error, never a silent success"),
        (.leavesWaitersWaiting, "publishers that wait for room are told when the bus stops"),
        (.stopsForGood, "a bus that was stopped starts again with the handlers it had"),
        (.reportsAllAccepted, "a report has one result for each event, in their order"),
        (.hasNoOffsets, "publish answers with rising offsets"),
        (.countsNothing, "the counters say what was published, delivered and recognised as known"),
    ]

    @Test(arguments: Self.expected)
    func `a faulty bus is found out by the check that is about its fault`(_ fault: Fault, _ name: String) async throws {
        let check = try #require(EventBusConformance.checks.first { $0.name == name }, "there is no such check")
        let failure = await #expect(throws: ConformanceFailure.self) {
            try await check.run(on: FaultyBuses(fault: fault))
        }
        #expect(failure?.check == name)
        #expect(failure?.message.isEmpty == false)
    }

    @Test func `every fault is found`() {
        #expect(Set(Self.expected.map(\.0)) == Set(Fault.allCases))
    }
}
