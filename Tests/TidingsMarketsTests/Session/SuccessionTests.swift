import Testing

@testable import TidingsMarkets

@Suite struct SuccessionTests {
    private let second: Int64 = 1_000_000_000
    private let failure = ConnectionFailure("gone")

    /// A succession whose first connection carries the feed.
    private func running(life: Duration? = nil) -> Succession {
        var succession = Succession(life: life)
        #expect(succession.start() == [.tell(.init(state: .connecting)), .open(1)])
        #expect(succession.carrier == nil)
        #expect(succession.opened(1, at: 0, chance: 0) == [.tell(.init(state: .connected))])
        #expect(succession.ready(1) == [.tell(.init(state: .subscribed))])
        #expect(succession.carrier == 1)
        return succession
    }

    @Test func `a connection that ends is followed by another after a delay that grows`() {
        var succession = self.running()
        let actions = succession.ended(1, self.failure, at: self.second, chance: 0.5)
        #expect(
            actions == [
                .report(self.failure),
                .tell(.init(state: .reconnecting, reason: "gone", attempt: 1, retryIn: .milliseconds(250))),
            ])
        #expect(succession.tick(at: self.second + 249_000_000).isEmpty)
        #expect(succession.tick(at: self.second + 250_000_000) == [.tell(.init(state: .connecting)), .open(2)])
        #expect(succession.tick(at: 2 * self.second).isEmpty)
        let again = succession.ended(2, self.failure, at: 2 * self.second, chance: 0.5)
        #expect(
            again.last == .tell(.init(state: .reconnecting, reason: "gone", attempt: 2, retryIn: .milliseconds(500))))
    }

    @Test func `what the venue asks for is waited`() {
        var succession = Succession(life: nil)
        _ = succession.start()
        var failure = ConnectionFailure("Rate limit exceeded")
        failure.retryAfter = .seconds(90)
        _ = succession.ended(1, failure, at: 0, chance: 0)
        #expect(succession.tick(at: 89 * self.second).isEmpty)
        #expect(succession.tick(at: 90 * self.second).contains(.open(2)))
    }

    @Test func `before a connection is too old another is opened, and the old one goes when that is ready`() {
        var succession = self.running(life: .seconds(86_400))
        // 24 h less a quarter of an hour; less as much again at most.
        #expect(succession.tick(at: 85_499 * self.second).isEmpty)
        let actions = succession.tick(at: 85_500 * self.second)
        #expect(actions.last == .open(2))
        guard case .tell(let telling) = actions.first else { return #expect(Bool(false)) }
        #expect(telling.state == .reconnecting)
        #expect(telling.reason?.hasPrefix("planned: ") == true)
        #expect(succession.tick(at: 85_501 * self.second).isEmpty)
        #expect(succession.opened(2, at: 85_502 * self.second, chance: 1).isEmpty)
        #expect(succession.carrier == 1)
        let handover = succession.ready(2)
        #expect(handover.first == .close(1))
        guard case .tell(let settled) = handover.last else { return #expect(Bool(false)) }
        #expect(settled.state == .subscribed)
        #expect(succession.carrier == 2)
        #expect(succession.ended(1, self.failure, at: 85_503 * self.second, chance: 0).isEmpty)
        // The next one with all of the jitter.
        #expect(succession.tick(at: (85_502 + 84_599) * self.second).isEmpty)
        #expect(succession.tick(at: (85_502 + 84_600) * self.second).last == .open(3))
    }

    @Test func `a new connection that does not get ready takes over when its time is up`() {
        var succession = self.running()
        #expect(succession.replace(because: "so", at: 0).last == .open(2))
        _ = succession.opened(2, at: self.second, chance: 0)
        #expect(succession.tick(at: Succession.overlap).isEmpty)
        let actions = succession.tick(at: Succession.overlap + self.second)
        #expect(actions == [.close(1), .tell(.init(state: .connected, reason: "planned: so"))])
        #expect(succession.ready(2) == [.tell(.init(state: .subscribed))])
    }

    @Test func `the old one ends before the new one is ready`() {
        var succession = self.running()
        _ = succession.replace(because: "so", at: 0)
        _ = succession.opened(2, at: 0, chance: 0)
        let actions = succession.ended(1, self.failure, at: 0, chance: 0)
        #expect(
            actions == [
                .report(self.failure), .tell(.init(state: .reconnecting, reason: "gone", retryIn: .zero)),
                .tell(.init(state: .connected)),
            ])
        #expect(succession.ready(2) == [.tell(.init(state: .subscribed))])
        #expect(succession.tick(at: 100 * self.second).isEmpty)
    }

    @Test func `the old one ends while the new one is being opened`() {
        var succession = self.running()
        _ = succession.replace(because: "so", at: 0)
        _ = succession.ended(1, self.failure, at: 0, chance: 0)
        #expect(succession.carrier == nil)
        #expect(succession.opened(2, at: 0, chance: 0) == [.tell(.init(state: .connected))])
        #expect(succession.carrier == 2)
    }

    @Test func `a new connection that fails is tried again while the old one goes on`() {
        var succession = self.running()
        _ = succession.replace(because: "so", at: 0)
        #expect(succession.ended(2, self.failure, at: 0, chance: 0.5).count == 2)
        #expect(succession.carrier == 1)
        #expect(succession.tick(at: 249_000_000).isEmpty)
        #expect(succession.tick(at: 250_000_000).last == .open(3))
        // Asking for it meanwhile changes nothing.
        #expect(succession.replace(because: "again", at: 251_000_000).isEmpty)
    }

    @Test func `useless connections are dropped, and why is told`() {
        var succession = self.running()
        _ = succession.replace(because: "so", at: 0)
        #expect(succession.drop(because: "nonsense") == [.abort(2), .abort(1)])
        #expect(succession.ended(2, self.failure, at: 0, chance: 0).isEmpty)
        let actions = succession.ended(1, self.failure, at: 0, chance: 0.5)
        #expect(actions.first == .report(ConnectionFailure("nonsense")))
        #expect(succession.tick(at: self.second).contains(.open(3)))
    }

    @Test func `a dead connection is dropped alone`() {
        var succession = self.running()
        _ = succession.replace(because: "so", at: 0)
        _ = succession.opened(2, at: 0, chance: 0)
        #expect(succession.drop(1, because: "silent") == [.abort(1)])
        #expect(succession.ended(1, self.failure, at: 0, chance: 0).first == .report(ConnectionFailure("silent")))
        #expect(succession.carrier == 2)
    }

    @Test func `after the end nothing is opened`() {
        var succession = self.running()
        _ = succession.replace(because: "so", at: 0)
        #expect(succession.stop() == [.close(1), .close(2)])
        #expect(succession.opened(2, at: 0, chance: 0) == [.close(2)])
        #expect(succession.ended(1, self.failure, at: 0, chance: 0).isEmpty)
        #expect(succession.tick(at: 1000 * self.second).isEmpty)
        #expect(succession.ready(2).isEmpty)
        #expect(succession.stop().isEmpty)
    }

    @Test func `whatever happens in whatever order, numbers go up and at most two connections are open`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var succession = Succession(life: .seconds(20))
            var (open, connecting): (Set<Int>, Set<Int>) = ([], [])
            var (now, last): (Int64, Int) = (0, 0)
            func follow(_ actions: [Succession.Action]) {
                for action in actions {
                    switch action {
                    case .open(let number):
                        #expect(number == last + 1)
                        last = number
                        connecting.insert(number)
                    case .close(let number), .abort(let number):
                        open.remove(number)
                        connecting.remove(number)
                    case .tell, .report: break
                    }
                }
                #expect(open.count + connecting.count <= 2)
            }
            follow(succession.start())
            for _ in 0..<60 {
                now += Int64.random(in: 0...3_000_000_000, using: &random)
                let number = Int.random(in: 1...last + 1, using: &random)
                switch Int.random(in: 0..<7, using: &random) {
                case 0:
                    guard let number = connecting.randomElement() else { continue }
                    connecting.remove(number)
                    open.insert(number)
                    follow(succession.opened(number, at: now, chance: 0.3))
                case 1: follow(succession.ready(number))
                case 2, 3:
                    guard let number = open.union(connecting).randomElement() else { continue }
                    open.remove(number)
                    connecting.remove(number)
                    follow(succession.ended(number, self.failure, at: now, chance: 0.7))
                case 4: follow(succession.replace(because: "r", at: now))
                case 5: follow(succession.drop(because: "d"))
                default: follow(succession.tick(at: now))
                }
            }
            // It always comes back.
            for _ in 0..<10 where open.isEmpty && connecting.isEmpty {
                now += 10 * self.second
                follow(succession.tick(at: now))
            }
        }
    }
}
