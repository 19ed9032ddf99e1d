import Testing

@testable import TidingsSimulation

@Suite struct PlaybackTests {
    private let second: Int64 = 1_000_000_000

    private func playback(
        speed: PlaybackSpeed, loops: Bool = false, faults: [PlannedFault] = [], settle: Int64 = 0,
        topics: Set<Topic> = [Topic("trades", "BTC"), Topic("l2Book", "BTC")]
    ) throws -> Playback<RecordedSource> {
        var playback = Playback(
            try SmallSession.source(loops: loops), speed: speed, faults: faults, settleTime: settle, now: 0)
        playback.select(topics, now: 0)
        return playback
    }

    /// Plays all that is due at a time.
    private func play(
        _ playback: inout Playback<RecordedSource>, at now: Int64, atMost: Int = 1000
    ) -> (frames: [String], step: Playback<RecordedSource>.Step) {
        var frames: [String] = []
        for _ in 0..<atMost {
            let step = playback.step(now: now) { frames.append(String(decoding: $0, as: UTF8.self)) }
            if step != .again { return (frames, step) }
        }
        return (frames, .again)
    }

    @Test func `frames come at the recorded pace`() throws {
        var playback = try self.playback(speed: .times(1))
        #expect(self.play(&playback, at: 0) == ([SmallSession.frame(0)], .wait(until: self.second / 2)))
        let later = self.play(&playback, at: 2 * self.second)
        #expect(later.frames == Array(SmallSession.frames[1...4]))
        #expect(later.step == .wait(until: self.second / 2 * 5))
    }

    @Test func `twice the speed halves the waiting`() throws {
        var playback = try self.playback(speed: .times(2))
        _ = self.play(&playback, at: 0)
        #expect(self.play(&playback, at: self.second).frames == Array(SmallSession.frames[1...4]))
    }

    @Test func `at full speed everything is due at once, in order`() throws {
        var playback = try self.playback(speed: .max)
        let played = self.play(&playback, at: 0)
        #expect(played == (SmallSession.frames, .idle))
    }

    @Test func `only what is subscribed to is sent`() throws {
        var playback = try self.playback(speed: .max, topics: [Topic("trades", "BTC")])
        #expect(self.play(&playback, at: 0).frames == SmallSession.frames.filter { $0.contains("trades") })
    }

    @Test func `a loop begins again after its last frame`() throws {
        var playback = try self.playback(speed: .max, loops: true)
        #expect(self.play(&playback, at: 0, atMost: 50).frames == (0..<50).map { SmallSession.frame($0 % 20) })
    }

    @Test func `a loop that has nothing to send rests until it has`() throws {
        var playback = try self.playback(speed: .max, loops: true, topics: [Topic("bbo", "BTC")])
        #expect(self.play(&playback, at: 0) == ([], .idle))
        playback.select([Topic("trades", "BTC")], now: 1)
        #expect(self.play(&playback, at: 1, atMost: 20).frames.count == 10)
    }

    @Test func `the beginning waits for further subscriptions, but not for ever`() throws {
        var playback = try self.playback(speed: .max, settle: 10, topics: [Topic("trades", "BTC")])
        #expect(self.play(&playback, at: 9) == ([], .wait(until: 10)))
        playback.select([Topic("trades", "BTC"), Topic("l2Book", "BTC")], now: 9)
        #expect(self.play(&playback, at: 10) == ([], .wait(until: 19)))
        playback.select([], now: 95)
        #expect(self.play(&playback, at: 99) == ([], .wait(until: 100)))
        playback.select([Topic("trades", "BTC"), Topic("l2Book", "BTC")], now: 99)
        #expect(self.play(&playback, at: 100).frames == SmallSession.frames)
    }

    @Test(arguments: [PlaybackSpeed.max, .times(1), .times(100)])
    func `a fault comes between the frames before and after its second`(speed: PlaybackSpeed) throws {
        var playback = try self.playback(speed: speed, faults: [PlannedFault(index: 7, offset: 2 * self.second)])
        _ = self.play(&playback, at: 0)
        var fresh = try self.playback(speed: speed, faults: [PlannedFault(index: 7, offset: 2 * self.second)])
        // A look long after: what was due comes in its order.
        _ = self.play(&fresh, at: 0, atMost: 1)
        let first = self.play(&fresh, at: 100 * self.second)
        #expect(first.step == .fault(7))
        #expect(first.frames.last == SmallSession.frame(3))
        let rest = self.play(&fresh, at: 100 * self.second)
        #expect(rest == (Array(SmallSession.frames[4...]), .idle))
    }

    @Test func `a fault after the last frame comes in its time, and at full speed never`() throws {
        let fault = PlannedFault(index: 0, offset: 20 * self.second)
        var paced = try self.playback(speed: .times(1), faults: [fault])
        _ = self.play(&paced, at: 0)
        #expect(self.play(&paced, at: 10 * self.second).step == .wait(until: 20 * self.second))
        #expect(self.play(&paced, at: 20 * self.second).step == .fault(0))
        var fast = try self.playback(speed: .max, faults: [fault])
        #expect(self.play(&fast, at: 100 * self.second).step == .idle)
    }

    @Test func `a gap leaves out frames that would have been sent`() throws {
        var playback = try self.playback(speed: .max)
        _ = self.play(&playback, at: 0, atMost: 3)
        playback.skip(5)
        #expect(self.play(&playback, at: 0).frames == Array(SmallSession.frames[8...]))
    }

    @Test func `slowing down stretches what is left by ten`() throws {
        var playback = try self.playback(speed: .times(1))
        _ = self.play(&playback, at: 0)
        playback.slowDown(now: 100)
        #expect(self.play(&playback, at: 100).frames == [SmallSession.frame(1)])
        #expect(self.play(&playback, at: 101).step == .wait(until: 100 + 5 * self.second))
    }
}
