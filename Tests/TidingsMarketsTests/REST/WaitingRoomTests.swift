import Testing

@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct WaitingRoomTests {
    @Test func `a time passes`() async {
        #expect(await WaitingRoom().wait(for: .milliseconds(5)))
        #expect(await WaitingRoom().wait(for: .zero))
    }

    @Test func `who is cancelled leaves, before or after coming in`() async {
        let room = WaitingRoom()
        for _ in 0..<100 {
            let waiting = Task { await room.wait(for: .seconds(3600)) }
            waiting.cancel()
            #expect(await !waiting.value)
        }
    }

    @Test func `all leave when the room is closed, and nobody comes in any more`() async {
        let room = WaitingRoom()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 { group.addTask { await room.wait(for: .seconds(3600)) } }
            room.close()
            for await hasPassed in group { #expect(!hasPassed) }
        }
        #expect(await !room.wait(for: .zero))
    }
}
