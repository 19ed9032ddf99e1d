import Testing

@testable import TidingsGateway

struct RequestClockTests {
    private static func clock(hasHandshake: Bool = false) -> RequestClock {
        RequestClock(
            RequestClock.Limits(
                handshake: 10, head: 20, body: 30, bodyBytesPerSecond: 100_000_000, idle: 40, response: 50),
            hasHandshake: hasHandshake, now: 0)
    }

    @Test func `a handshake has its time, and then nothing but idleness`() {
        var clock = Self.clock(hasHandshake: true)
        clock.received(5, now: 3)
        #expect(clock.expired(now: 9) == nil)
        #expect(clock.expired(now: 10) == .handshake)
        clock.handshakeEnded(now: 9)
        #expect(clock.expired(now: 48) == nil)
        #expect(clock.expired(now: 49) == .idle)
    }

    @Test func `a head has its time from its first byte, however many more trickle in`() {
        var clock = Self.clock()
        clock.received(1, now: 30)
        for now in 31..<50 {
            clock.received(1, now: Int64(now))
            #expect(clock.expired(now: Int64(now)) == nil)
        }
        #expect(clock.expired(now: 50) == .head)
    }

    @Test func `a body may be silent only so long`() {
        var clock = Self.clock()
        clock.received(10, now: 0)
        clock.headEnded(isStreamed: true, now: 0)
        for now in stride(from: Int64(0), to: 1000, by: 29) {
            clock.received(1, now: now)
            #expect(clock.deadline == now + 30)
        }
        #expect(clock.expired(now: 986 + 30) == .body)
    }

    @Test func `a body that is held has to come at a rate`() {
        // A tenth of a byte a nanosecond: ten nanoseconds more for each byte.
        var clock = Self.clock()
        clock.received(10, now: 0)
        clock.headEnded(isStreamed: false, now: 0)
        clock.received(1, now: 29)
        #expect(clock.deadline == 40)
        clock.received(1, now: 39)
        #expect(clock.deadline == 50)
        #expect(clock.expired(now: 50) == .body)
        clock.received(1000, now: 49)
        #expect(clock.deadline == 79)
    }

    @Test func `while the server works or does not read, no time of the client's passes`() {
        var clock = Self.clock()
        clock.received(10, now: 0)
        clock.headEnded(isStreamed: false, now: 0)
        clock.suspended(now: 10)
        clock.suspended(now: 15)
        #expect(clock.deadline == nil)
        clock.resumed(now: 1000)
        #expect(clock.deadline == 1020)
        clock.resumed(now: 2000)
        #expect(clock.deadline == 1020)
        clock.requestEnded(now: 1005)
        #expect(clock.deadline == nil)
        clock.responseEnded(now: 5000)
        #expect(clock.expired(now: 5039) == nil)
        #expect(clock.expired(now: 5040) == .idle)
    }

    @Test func `an answer nobody takes ends, one without an end of its own does not`() {
        var clock = Self.clock()
        clock.headEnded(isStreamed: false, now: 0)
        clock.requestEnded(now: 0)
        clock.responseStarted(isStreaming: false)
        clock.writable(false, now: 100)
        clock.writable(false, now: 120)
        #expect(clock.expired(now: 149) == nil)
        #expect(clock.expired(now: 150) == .response)
        clock.writable(true, now: 140)
        #expect(clock.deadline == nil)
        clock.responseStarted(isStreaming: true)
        clock.writable(false, now: 200)
        #expect(clock.deadline == nil)
    }

    @Test func `a request behind another waits for its answer without a time of its own`() {
        var clock = Self.clock()
        clock.headEnded(isStreamed: false, now: 0)
        clock.requestEnded(now: 0)
        clock.received(3, now: 5)
        #expect(clock.isInHead)
        #expect(clock.deadline == nil)
        clock.responseEnded(now: 100)
        #expect(clock.expired(now: 119) == nil)
        #expect(clock.expired(now: 120) == .head)
    }

    @Test func `limits without bound do not overflow`() {
        let clock = RequestClock(
            RequestClock.Limits(
                handshake: .max, head: .max, body: .max, bodyBytesPerSecond: 0, idle: .max, response: .max),
            hasHandshake: false, now: 1 << 60)
        #expect(clock.expired(now: 1 << 60) == nil)
    }

    @Test func `whatever happens in whatever order, there is never a trap`() {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<2000 {
            var clock = Self.clock(hasHandshake: Bool.random(using: &generator))
            var now: Int64 = 0
            for _ in 0..<40 {
                now += Int64.random(in: 0..<20, using: &generator)
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: clock.handshakeEnded(now: now)
                case 1: clock.received(Int.random(in: 0..<1000, using: &generator), now: now)
                case 2: clock.headEnded(isStreamed: Bool.random(using: &generator), now: now)
                case 3: clock.requestEnded(now: now)
                case 4: clock.responseStarted(isStreaming: Bool.random(using: &generator))
                case 5: clock.responseEnded(now: now)
                case 6: clock.suspended(now: now)
                case 7: clock.resumed(now: now)
                default: clock.writable(Bool.random(using: &generator), now: now)
                }
                #expect(clock.pending >= 0)
                if let deadline = clock.deadline {
                    #expect(clock.expired(now: deadline) != nil)
                    #expect(clock.expired(now: deadline - 1) == nil)
                } else {
                    #expect(clock.expired(now: .max) == nil)
                }
            }
        }
    }
}
