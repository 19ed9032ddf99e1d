import Testing
import TidingsTestSupport

@testable import Tidings

/// Events published one by one share batches.
@Suite(.timeLimit(.minutes(1))) struct OpenBatchTests {
    @Test func `an open batch takes events until it is full`() {
        let batch = EventBatch(openWithRoom: 4)
        for number in 0..<4 { #expect(batch.append(.tradeSample(number)) == number) }
        #expect(batch.append(.tradeSample(4)) == nil)
        #expect(batch.count == 4)
        #expect(batch.roomForNext == 16)
    }

    @Test func `a sealed batch takes none and keeps what it has`() {
        let batch = EventBatch(openWithRoom: 8)
        #expect(batch.append(.tradeSample(1)) == 0)
        batch.seal()
        batch.seal()
        #expect(batch.append(.tradeSample(2)) == nil)
        #expect(batch.count == 1)
        #expect(batch.events.map(\.priority) == [.normal])
    }

    @Test func `asking for the JSON seals a batch`() {
        let batch = EventBatch(openWithRoom: 8)
        #expect(batch.append(.tradeSample(1)) == 0)
        #expect(batch.json.byteCount(at: 0) > 100)
        #expect(batch.append(.tradeSample(2)) == nil)
    }

    @Test func `one thread appends while another seals, and what was appended is there to be read`() async {
        for round in 0..<300 {
            let batch = EventBatch(openWithRoom: 64)
            let appended = Locked(0)
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<64 {
                        guard batch.append(.tradeSample(number)) != nil else { return }
                        appended.withLock { $0 += 1 }
                    }
                }
                group.addTask {
                    while appended.withLock({ $0 }) < round % 40 { await Task.yield() }
                    batch.seal()
                    // What is counted now stays as it is.
                    let count = batch.count
                    #expect((0..<count).allSatisfy { batch[$0].tradeNumber == $0 })
                    #expect(batch.count == count)
                }
                await group.waitForAll()
            }
            #expect(batch.count == appended.withLock({ $0 }))
        }
    }

    @Test func `events published one by one share batches and keep their order for ten subscribers`() async throws {
        let bus = MemoryEventBus()
        let (started, gate) = (Collector<Void>(), Gate())
        let recorders = (0..<10).map { _ in Collector<Int>() }
        for (number, recorder) in recorders.enumerated() {
            try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "r\(number)", deadline: nil)) { event in
                if recorder.values.isEmpty {
                    started.add(())
                    await gate.wait()
                }
                recorder.add(event.tradeNumber)
            }
        }
        let batches = try bus.batches(matching: .type(.trade), options: SubscriptionOptions(name: "drawer"))
        try bus.tryPublish(.tradeSample(0))
        _ = await started.wait(for: 10)
        for number in 1..<2000 { try bus.tryPublish(.tradeSample(number)) }
        gate.open()
        await bus.stop()
        for recorder in recorders { #expect(recorder.values == Array(0..<2000)) }
        var (drawn, count) = ([Int](), 0)
        for await element in batches {
            drawn += element.events.map { $0.tradeNumber }
            count += 1
        }
        #expect(drawn == Array(0..<2000))
        #expect(count < 200, "two thousand events came in \(count) batches")
    }

    @Test func `ten threads publish one by one, and each keeps its order at every subscriber`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        let recorders = (0..<3).map { _ in Collector<Int>() }
        for (number, recorder) in recorders.enumerated() {
            try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "r\(number)")) {
                recorder.add($0.tradeNumber)
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for publisher in 0..<10 {
                group.addTask {
                    for number in 0..<300 { _ = try? bus.tryPublish(.tradeSample(publisher * 1000 + number)) }
                }
            }
        }
        await bus.stop()
        for recorder in recorders {
            #expect(recorder.values.count == 3000)
            for publisher in 0..<10 {
                let own = recorder.values.filter { $0 / 1000 == publisher }
                #expect(own == (0..<300).map { publisher * 1000 + $0 })
            }
        }
        #expect(bus.log?.bounds.head == 3000)
    }

    @Test func `events of different priorities in one batch keep to their lanes`() async throws {
        let bus = MemoryEventBus()
        let batches = try bus.batches(matching: .all)
        for number in 0..<40 {
            try bus.tryPublish(.tradeSample(number, priority: number.isMultiple(of: 2) ? .low : .high))
        }
        await bus.stop()
        var drawn: [Int] = []
        for await element in batches { drawn += element.events.map { $0.tradeNumber } }
        #expect(drawn == Array(stride(from: 1, to: 40, by: 2)) + Array(stride(from: 0, to: 40, by: 2)))
    }

    @Test func `a refused event is unknown again and leaves no trace in the counters`() async throws {
        let bus = MemoryEventBus()
        let batches = try bus.batches(matching: .all, options: SubscriptionOptions(name: "x", capacity: 1))
        try bus.tryPublish(.tradeSample(0))
        let event = StandardEvent.tradeSample(1)
        let error = #expect(throws: EventBusError.self) { try bus.tryPublish(event) }
        #expect(error?.code == .full)
        #expect(bus.statistics.published == 1 && bus.statistics.refused == 1)
        var iterator = batches.makeAsyncIterator()
        #expect(await iterator.next()?.events.count == 1)
        #expect(try bus.tryPublish(event) == .accepted(offset: nil))
        #expect(await iterator.next()?.events.map(\.eventID) == [event.eventID])
        await bus.stop()
    }
}
