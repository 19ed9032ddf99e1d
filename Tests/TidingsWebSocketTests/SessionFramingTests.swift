import Testing

@testable import TidingsWebSocket

@Suite struct SessionFramingTests {
    @Test(arguments: [WebSocketRole.server, .client]) func `messages of every length class arrive`(
        _ role: WebSocketRole
    ) {
        for length in [0, 1, 7, 8, 125, 126, 127, 128, 65535, 65536, 65537, 200_000] {
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect(events(frame(.binary, payload, to: role), role) == [.binary(payload)])
            let text = String(repeating: "*", count: length)
            #expect(events(frame(.text, text, to: role), role) == [.text(text)])
        }
    }

    @Test func `a whole unmasked text is handed on as a slice of the input`() {
        var session = WebSocketSession(role: .client, now: 0)
        let bytes = frame(.text, "one", to: .client) + frame(.text, "three", to: .client)
        let ranges = bytes.withUnsafeBytes { input in
            var offset = 0
            var ranges: [WebSocketPayload] = []
            while case .text(let payload) = session.next(in: input, from: &offset, now: 0) { ranges.append(payload) }
            return ranges
        }
        #expect(ranges == [.input(2..<5), .input(7..<12)])
    }

    @Test func `fragments are joined, with control frames between them answered at once`() {
        let bytes =
            frame(.text, "Hel", final: false) + frame(.ping, "p") + frame(.continuation, "lo ", final: false)
            + frame(.pong, "unasked") + frame(.continuation, "", final: false) + frame(.continuation, "you")
            + frame(.text, "next")
        #expect(events(bytes) == [.pong(Array("p".utf8)), .text("Hello you"), .text("next")])
    }

    @Test func `a message may end with an empty frame`() {
        #expect(events(frame(.text, "a", final: false) + frame(.continuation, "")) == [.text("a")])
        #expect(events(frame(.binary, "", final: false) + frame(.continuation, "")) == [.binary([])])
    }

    @Test func `a ping is answered with its payload`() {
        let longest = [UInt8](repeating: 0xFE, count: 125)
        #expect(events(frame(.ping, "")) == [.pong([])])
        #expect(events(frame(.ping, longest)) == [.pong(longest)])
    }

    @Test func `a pong nobody asked for is ignored`() {
        #expect(events(frame(.pong, "x") + frame(.text, "y")) == [.text("y")])
    }

    @Test func `a lone continuation frame closes with 1002`() {
        for final in [true, false] {
            #expect(events(frame(.continuation, "x", final: final)) == [.close(1002, "Continuation of nothing")])
        }
        #expect(
            events(frame(.text, "a") + frame(.continuation, "x"))
                == [.text("a"), .close(1002, "Continuation of nothing")])
    }

    @Test func `a new message inside a message closes with 1002`() {
        #expect(
            events(frame(.text, "a", final: false) + frame(.text, "b")) == [.close(1002, "Message inside a message")])
        #expect(
            events(frame(.binary, "a", final: false) + frame(.binary, "b"))
                == [.close(1002, "Message inside a message")])
    }

    @Test func `reserved bits close with 1002`() {
        for opcode in [WebSocketOpcode.text, .binary, .ping, .pong, .close, .continuation] {
            for bit: UInt8 in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
                var bytes = frame(opcode, "hi")
                bytes[0] |= bit
                let end: [Event] = opcode == .close ? [.finished(1002)] : []
                #expect(events(bytes) == [.close(1002, "Reserved bits set")] + end)
            }
        }
    }

    @Test func `reserved opcodes close with 1002, after what came before`() {
        for opcode: UInt8 in Array(3...7) + Array(11...15) {
            var bytes = frame(.text, "x")
            bytes[0] = 0x80 | opcode
            #expect(events(frame(.text, "before") + bytes) == [.text("before"), .close(1002, "Reserved opcode")])
        }
    }

    @Test func `clients mask and servers do not`() {
        #expect(events(frame(.text, "x", to: .client), .server) == [.close(1002, "Unmasked frame from a client")])
        #expect(events(frame(.text, "x", to: .server), .client) == [.close(1002, "Masked frame from a server")])
    }

    @Test func `control frames are short and whole`() {
        let long = [UInt8](repeating: 1, count: 126)
        for opcode in [WebSocketOpcode.ping, .pong, .close] {
            let end: [Event] = opcode == .close ? [.finished(1002)] : []
            #expect(events(frame(opcode, long)) == [.close(1002, "Control frame longer than 125 bytes")] + end)
            #expect(events(frame(opcode, "", final: false)) == [.close(1002, "Fragmented control frame")] + end)
        }
    }

    @Test func `a length with its highest bit set closes with 1002`() {
        #expect(
            events([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]) == [
                .close(1002, "Impossible frame length"), .finished(1002),
            ])
    }

    @Test func `a frame over the limit is refused by its header`() {
        var options = WebSocketOptions()
        options.maximumFrameBytes = 100
        let payload = [UInt8](repeating: 0x61, count: 101)
        #expect(events(Array(frame(.text, payload).prefix(8)), options: options) == [.close(1009, "Frame too big")])
        #expect(events(frame(.binary, payload.dropLast()), options: options) == [.binary(Array(payload.dropLast()))])
        let huge: [UInt8] = [0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4]
        #expect(events(huge, options: options) == [.close(1009, "Frame too big")])
    }

    @Test(arguments: [nil, WebSocketDeflateParameters()])
    func `a message over the limit is refused at the frame that would exceed it`(_ deflate: WebSocketDeflateParameters?)
    {
        var options = WebSocketOptions()
        options.maximumMessageBytes = 10
        let bytes =
            frame(.text, "12345", final: false) + frame(.continuation, "67890", final: false)
            + frame(.continuation, "1")
        #expect(events(bytes, options: options, deflate: deflate) == [.close(1009, "Message too big")])
        #expect(
            events(frame(.text, "12345678901"), options: options, deflate: deflate) == [.close(1009, "Message too big")]
        )
        #expect(events(frame(.text, "1234567890"), options: options, deflate: deflate) == [.text("1234567890")])
    }

    @Test func `masking in wide steps equals masking byte by byte`() {
        var generator = SeededGenerator(seed: 1)
        for length in 0..<70 {
            let key = UInt32.random(in: 0...UInt32.max, using: &generator)
            let offset = Int.random(in: 0..<9, using: &generator)
            let plain = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var masked = plain
            masked.withUnsafeMutableBytes { WebSocketMask.apply(key, to: $0, offset: offset) }
            let expected = plain.enumerated().map { index, byte in
                byte ^ UInt8(truncatingIfNeeded: key >> (8 * UInt32((index + offset) % 4)))
            }
            #expect(masked == expected)
        }
    }
}
