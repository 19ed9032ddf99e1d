import Testing

@testable import TidingsWebSocket

@Suite struct SessionPropertyTests {
    /// A conversation of valid and invalid frames, as the peer might send it.
    private static func conversation(_ generator: inout SeededGenerator, to role: WebSocketRole) -> [UInt8] {
        let texts = ["", "a", "Hello", "κόσμε", "日本語 🎉", String(repeating: "x", count: 130)]
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let text = texts.randomElement(using: &generator) ?? ""
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: bytes += frame(.ping, text.prefix(3).description, to: role)
            case 1: bytes += frame(.pong, "p", to: role)
            case 2, 3:
                let content = Array(text.utf8)
                let cut = Int.random(in: 0...content.count, using: &generator)
                bytes += frame(.text, content.prefix(cut), to: role, final: false)
                if Bool.random(using: &generator) { bytes += frame(.ping, "between", to: role) }
                bytes += frame(.continuation, content.dropFirst(cut), to: role)
            case 4: bytes += frame(.binary, (0..<300).map { UInt8($0 & 0xFF) }, to: role)
            case 5 where Int.random(in: 0..<3, using: &generator) == 0: bytes += frame(.continuation, "x", to: role)
            case 6 where Int.random(in: 0..<3, using: &generator) == 0:
                bytes += frame(.text, [0x61, 0xC3, 0x28], to: role)
            case 7 where Int.random(in: 0..<3, using: &generator) == 0: bytes += closeFrame(4000, to: role)
            default: bytes += frame(.text, text, to: role)
            }
        }
        return bytes
    }

    @Test(arguments: [WebSocketRole.server, .client], 0..<60)
    func `however the bytes are cut, the outcome is the same`(_ role: WebSocketRole, _ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let bytes = Self.conversation(&generator, to: role)
        let whole = events(bytes, role)
        #expect(events(bytes, role, cuts: Array(1..<bytes.count)) == whole)
        for _ in 0..<6 {
            let cuts = (0..<Int.random(in: 1...9, using: &generator))
                .map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            #expect(events(bytes, role, cuts: cuts) == whole)
        }
    }

    @Test func `compressed messages do not depend on cuts either`() {
        var generator = SeededGenerator(seed: 99)
        let text = Array(String(repeating: "κόσμε and more ", count: 40).utf8)
        let compressed = deflated(text)
        let bytes =
            frame(.text, compressed.prefix(10), final: false, compressed: true)
            + frame(.ping, "p") + frame(.continuation, compressed.dropFirst(10)) + frame(.text, "plain")
        let whole = events(bytes, deflate: .init())
        #expect(whole == [.pong([0x70]), .text(String(decoding: text, as: UTF8.self)), .text("plain")])
        #expect(events(bytes, deflate: .init(), cuts: Array(1..<bytes.count)) == whole)
        for _ in 0..<50 {
            let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            #expect(events(bytes, deflate: .init(), cuts: cuts) == whole)
        }
    }

    /// A round: a conversation, a few bytes of it changed, fed in one piece or two. It may end in any way but a trap,
    /// and it sends at most one close frame and finishes at most once, last.
    private static func mutate(_ rounds: Int, seed: UInt64, role: WebSocketRole, deflate: WebSocketDeflateParameters?) {
        var generator = SeededGenerator(seed: seed)
        var options = WebSocketOptions()
        options.maximumFrameBytes = 2000
        options.maximumMessageBytes = 3000
        var bytes: [UInt8] = []
        for round in 0..<rounds {
            if round % 16 == 0 {
                bytes = Self.conversation(&generator, to: role)
                if deflate != nil {
                    bytes += frame(.text, deflated(Array("again and again".utf8)), to: role, compressed: true)
                }
            }
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<mutated.count, using: &generator)
                mutated[index] = UInt8.random(in: 0...255, using: &generator)
            }
            let cut = Int.random(in: 0...mutated.count, using: &generator)
            let outcome = events(mutated, role, options: options, deflate: deflate, cuts: [cut])
            var closes = 0
            var finishes = 0
            for event in outcome {
                switch event {
                case .close: closes += 1
                case .finished: finishes += 1
                default: if finishes > 0 { Issue.record("seed \(seed) round \(round): something after the end") }
                }
            }
            if closes > 1 || finishes > 1 { Issue.record("seed \(seed) round \(round): \(outcome)") }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `no mutation of a conversation traps a server`(_ seed: UInt64) {
        Self.mutate(5_000, seed: seed, role: .server, deflate: nil)
    }

    @Test(arguments: [5, 6] as [UInt64]) func `no mutation of a conversation traps a client`(_ seed: UInt64) {
        Self.mutate(5_000, seed: seed, role: .client, deflate: nil)
    }

    @Test(arguments: [7, 8] as [UInt64]) func `no mutation of a compressed conversation traps`(_ seed: UInt64) {
        Self.mutate(2_500, seed: seed, role: .server, deflate: .init())
    }
}
