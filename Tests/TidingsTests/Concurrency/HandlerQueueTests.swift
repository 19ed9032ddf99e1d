import Testing

@testable import Tidings

struct HandlerQueueTests {
    @Test func `urgent jobs go first and jobs of one lane in order`() {
        var queue = HandlerQueue<Int>(minimum: 1, maximum: 1)
        for (job, lane) in [(1, 9), (2, 4), (3, 0), (4, 4), (5, 9), (6, 0)] { _ = queue.add(job, lane: lane) }
        #expect(queue.drain(slot: 0) == [3, 6, 2, 4, 1, 5])
    }

    @Test func `the least urgent job is reached while urgent ones never end`() {
        var queue = HandlerQueue<Int>(minimum: 1, maximum: 1)
        for lane in 1...9 { _ = queue.add(lane, lane: lane) }
        var others: [Int] = []
        for _ in 0..<(HandlerQueue<Int>.turn * 10) {
            _ = queue.add(0, lane: 0)
            if case .run(let job) = queue.next(for: 0, maySpin: false), job != 0 { others.append(job) }
        }
        #expect(others.sorted() == Array(1...9))
    }

    @Test func `threads start one a job up to the minimum, then the watcher is called`() {
        var queue = HandlerQueue<Int>(minimum: 2, maximum: 4)
        #expect(queue.threads == 0)
        #expect(queue.add(1, lane: 0) == .start(0))
        #expect(queue.add(2, lane: 0) == .start(1))
        #expect(queue.add(3, lane: 0) == .press)
        #expect(queue.threads == 2)
    }

    @Test func `the thread that parked last is woken first, one for each job`() {
        var queue = HandlerQueue<Int>(minimum: 3, maximum: 3)
        queue.parkAll()
        #expect(queue.parkedCount == 3)
        #expect(queue.add(1, lane: 0) == .wake(2))
        #expect(queue.add(2, lane: 0) == .wake(1))
        // A thread that was busy takes the first job: the woken threads are enough for what comes.
        guard case .run(1) = queue.arrived(2) else { Issue.record("the woken thread takes the first job"); return }
        guard case .run(2) = queue.next(for: 2, maySpin: false) else { Issue.record("and the next"); return }
        #expect(queue.add(3, lane: 0) == .none)
        guard case .run(3) = queue.arrived(1) else { Issue.record("the second woken thread takes it"); return }
        #expect(queue.add(4, lane: 0) == .wake(0))
    }

    @Test func `nobody is woken for a job that the spinning thread will see`() {
        var queue = HandlerQueue<Int>(minimum: 2, maximum: 2)
        queue.parkAll()
        _ = queue.add(1, lane: 0)
        guard case .run = queue.arrived(1), case .spin = queue.next(for: 1, maySpin: true) else {
            Issue.record("a thread spins the first time")
            return
        }
        #expect(queue.add(2, lane: 0) == .none)
        #expect(queue.add(3, lane: 0) == .wake(0))
        guard case .run(2) = queue.spun(1) else { Issue.record("the spinning thread takes the job"); return }
    }

    @Test func `spinning stops when it does not pay and is tried again now and then`() {
        var queue = HandlerQueue<Int>(minimum: 1, maximum: 1)
        queue.parkAll()
        var spins = 0
        let rounds = 10 * HandlerQueue<Int>.probe
        for job in 0..<rounds {
            _ = queue.add(job, lane: 0)
            _ = queue.arrived(0)
            if case .spin = queue.next(for: 0, maySpin: true) {
                spins += 1
                _ = queue.spun(0)
            }
        }
        #expect((1...11).contains(spins))
    }

    @Test func `the pool at most doubles, never beyond what waits or its maximum`() {
        var queue = HandlerQueue<Int>(minimum: 2, maximum: 5)
        for job in 0..<10 { _ = queue.add(job, lane: 0) }
        for slot in 0..<2 { _ = queue.arrived(slot) }
        #expect(queue.grow() == [2, 3])
        for slot in 2..<4 { _ = queue.arrived(slot) }
        #expect(queue.grow() == [4])
        _ = queue.arrived(4)
        #expect(queue.grow() == [])

        var calm = HandlerQueue<Int>(minimum: 2, maximum: 64)
        for job in 0..<3 { _ = calm.add(job, lane: 0) }
        for slot in 0..<2 { _ = calm.arrived(slot) }
        #expect(calm.grow() == [2])
    }

    @Test func `a thread that waited too long gives its slot back`() {
        var queue = HandlerQueue<Int>(minimum: 2, maximum: 2)
        queue.parkAll()
        guard case .leave = queue.expired(0) else { Issue.record("it leaves"); return }
        #expect(queue.threads == 1)
        #expect(queue.add(1, lane: 0) == .wake(1))
        #expect(queue.add(2, lane: 0) == .start(0))
    }

    @Test func `a wake-up that crosses the end of the wait is not lost`() {
        var queue = HandlerQueue<Int>(minimum: 1, maximum: 1)
        queue.parkAll()
        #expect(queue.add(1, lane: 0) == .wake(0))
        guard case .awaitWake = queue.expired(0) else { Issue.record("the wake-up is under way"); return }
        guard case .run(1) = queue.arrived(0) else { Issue.record("then it runs the job"); return }
    }

    @Test func `a thread that could not be started leaves its job to the next`() {
        var queue = HandlerQueue<Int>(minimum: 1, maximum: 2)
        #expect(queue.add(1, lane: 0) == .start(0))
        queue.startFailed(0)
        #expect(queue.threads == 0)
        #expect(queue.demand() == .start(0))
    }

    @Test func `after the stop threads finish the work and leave`() {
        var queue = HandlerQueue<Int>(minimum: 2, maximum: 2)
        queue.parkAll()
        _ = queue.add(1, lane: 0)
        #expect(queue.stop() == [0])
        guard case .run(1) = queue.arrived(1) else { Issue.record("work goes on"); return }
        guard case .leave = queue.arrived(0) else { Issue.record("nothing to do"); return }
        guard case .leave = queue.next(for: 1, maySpin: true) else { Issue.record("no more work"); return }
        #expect(queue.threads == 0)
        #expect(queue.add(2, lane: 0) == .start(0))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever the threads do, no job waits beside a parked thread`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let maximum = Int.random(in: 1...8, using: &random)
        var queue = HandlerQueue<Int>(minimum: Int.random(in: 1...maximum, using: &random), maximum: maximum)
        var (busy, arriving, spinning, parked): (Set<Int>, Set<Int>, Set<Int>, Set<Int>) = ([], [], [], [])
        var (added, done) = (0, Set<Int>())

        func obey(_ order: HandlerQueue<Int>.Order, _ slot: Int) {
            switch order {
            case .run(let job):
                #expect(done.insert(job).inserted)
                busy.insert(slot)
            case .spin: spinning.insert(slot)
            case .park: parked.insert(slot)
            case .awaitWake: arriving.insert(slot)
            case .leave: break
            }
        }
        func meet(_ demand: HandlerQueue<Int>.Demand) {
            switch demand {
            case .wake(let slot):
                #expect(parked.remove(slot) != nil)
                arriving.insert(slot)
            case .start(let slot): arriving.insert(slot)
            case .none, .press: break
            }
        }
        for step in 0..<4_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3 where step < 3_000:
                meet(queue.add(added, lane: Int.random(in: 0...9, using: &random)))
                added += 1
            case 4 where parked.isEmpty && arriving.isEmpty && spinning.isEmpty:
                for slot in queue.grow() { arriving.insert(slot) }
            case 5:
                if let slot = parked.first, step % 7 == 0 {
                    parked.remove(slot)
                    obey(queue.expired(slot), slot)
                }
            case 6:
                if let slot = spinning.popFirst() { obey(queue.spun(slot), slot) }
            case 7:
                if let slot = arriving.popFirst() { obey(queue.arrived(slot), slot) }
            default:
                if let slot = busy.popFirst() { obey(queue.next(for: slot, maySpin: true), slot) }
            }
            #expect(queue.parkedCount == parked.count)
            #expect(queue.searching == arriving.count + spinning.count)
            #expect(queue.threads == parked.count + arriving.count + spinning.count + busy.count)
            #expect(queue.threads <= maximum)
            #expect(parked.isEmpty || queue.count <= queue.searching)
        }
        while let slot = busy.popFirst() { obey(queue.next(for: slot, maySpin: false), slot) }
        while let slot = spinning.popFirst() { obey(queue.spun(slot), slot) }
        while let slot = arriving.popFirst() { obey(queue.arrived(slot), slot) }
        while let slot = busy.popFirst() { obey(queue.next(for: slot, maySpin: false), slot) }
        #expect(done.count == added)
    }
}

extension HandlerQueue where Work == Int {
    /// What one thread runs from now until it parks.
    fileprivate mutating func drain(slot: Int) -> [Int] {
        var jobs: [Int] = []
        while case .run(let job) = self.next(for: slot, maySpin: false) { jobs.append(job) }
        return jobs
    }

    /// Starts the minimum of threads and lets them run out of work, slot 0 first.
    fileprivate mutating func parkAll() {
        for _ in 0..<self.minimum { _ = self.add(-1, lane: 0) }
        for slot in 0..<self.minimum { _ = self.arrived(slot) }
        for slot in 0..<self.minimum { _ = self.next(for: slot, maySpin: false) }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
