import NIOCore
import Testing

@testable import TidingsWebSocket

/// A payload as permessage-deflate sends it.
func deflated(_ payload: [UInt8], windowBits: Int = 15) -> [UInt8] {
    var buffer = ByteBuffer()
    var deflater = WebSocketDeflater(windowBits: windowBits)
    payload.withUnsafeBytes { deflater.writeFrame(.binary, payload: $0, into: &buffer) }
    let bytes = Array(buffer.readableBytesView)
    switch bytes[1] {
    case 126: return Array(bytes.dropFirst(4))
    case 127: return Array(bytes.dropFirst(10))
    default: return Array(bytes.dropFirst(2))
    }
}

@Suite struct DeflateTests {
    @Test func `messages survive compression, whatever their size and window`() {
        var generator = SeededGenerator(seed: 4)
        for windowBits in [9, 12, 15] {
            for length in [0, 1, 100, 5_000, 100_000] {
                let payload = (0..<length).map { _ in UInt8.random(in: 0...12, using: &generator) }
                let bytes = frame(.binary, deflated(payload, windowBits: windowBits), compressed: true)
                #expect(events(bytes + bytes, deflate: .init()) == [.binary(payload), .binary(payload)])
            }
        }
    }

    @Test func `the example of the RFC decompresses`() {
        let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        #expect(events(frame(.text, hello, compressed: true), deflate: .init()) == [.text("Hello")])
        let final: [UInt8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]
        #expect(events(frame(.text, final, compressed: true), deflate: .init()) == [.text("Hello")])
        let stored: [UInt8] = [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00]
        #expect(events(frame(.text, stored, compressed: true), deflate: .init()) == [.text("Hello")])
        let twice: [UInt8] = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]
        #expect(events(frame(.text, twice, compressed: true), deflate: .init()) == [.text("Hello")])
    }

    @Test func `a server that keeps its window is understood`() {
        var parameters = WebSocketDeflateParameters()
        parameters.serverNoContextTakeover = false
        let first: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        let second: [UInt8] = [0xF2, 0x00, 0x11, 0x00, 0x00]
        let bytes =
            frame(.text, first, to: .client, compressed: true) + frame(.text, second, to: .client, compressed: true)
        #expect(events(bytes, .client, deflate: parameters) == [.text("Hello"), .text("Hello")])
        #expect(events(bytes, .client, deflate: .init()) == [.text("Hello"), .close(1007, "Does not decompress")])
    }

    @Test func `a bomb closes with 1009 and takes no more memory than the limit`() {
        var options = WebSocketOptions()
        options.maximumMessageBytes = 100_000
        let bomb = deflated([UInt8](repeating: 0, count: 5_000_000))
        #expect(bomb.count < 30_000)
        #expect(
            events(frame(.binary, bomb, compressed: true), options: options, deflate: .init()) == [
                .close(1009, "Message too big")
            ])
        let exact = deflated([UInt8](repeating: 7, count: 100_000))
        #expect(events(frame(.binary, exact, compressed: true), options: options, deflate: .init()).count == 1)
        let over = deflated([UInt8](repeating: 7, count: 100_001))
        #expect(
            Event.closing(events(frame(.binary, over, compressed: true), options: options, deflate: .init())) == 1009)
    }

    @Test func `a limit of everything does not overflow`() {
        var options = WebSocketOptions()
        options.maximumMessageBytes = .max
        options.maximumFrameBytes = .max
        let bytes = frame(.text, deflated([0x61]), compressed: true) + frame(.text, "b")
        #expect(events(bytes, options: options, deflate: .init()) == [.text("a"), .text("b")])
    }

    @Test func `what does not decompress closes with 1007, as does text that is not UTF-8 inside`() {
        #expect(
            events(frame(.text, [0xFF, 0xFF, 0xFF], compressed: true), deflate: .init()) == [
                .close(1007, "Does not decompress")
            ])
        #expect(
            events(frame(.text, deflated([0x61, 0xFF]), compressed: true), deflate: .init()) == [
                .close(1007, "Invalid UTF-8")
            ])
    }

    @Test func `only the first frame of a message may have the compression bit`() {
        let bytes =
            frame(.text, deflated([0x61]), final: false, compressed: true) + frame(.continuation, [], compressed: true)
        #expect(events(bytes, deflate: .init()) == [.close(1002, "Reserved bits set")])
        #expect(events(frame(.ping, [], compressed: true), deflate: .init()) == [.close(1002, "Reserved bits set")])
    }

    private static func accepts(_ offers: String, smaller: Bool = true) -> String? {
        var options = WebSocketDeflateOptions()
        options.acceptsSmallerWindow = smaller
        return WebSocketDeflateParameters.accepting([.init("Sec-WebSocket-Extensions", offers)], options)?.response
    }

    @Test func `offers are granted without takeover, and the impossible ones declined`() {
        let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        #expect(Self.accepts("permessage-deflate") == plain)
        #expect(Self.accepts("permessage-deflate; client_max_window_bits") == plain)
        #expect(Self.accepts("permessage-deflate;client_max_window_bits=8 ; server_no_context_takeover") == plain)
        #expect(Self.accepts("permessage-deflate; server_max_window_bits=10") == plain + "; server_max_window_bits=10")
        #expect(
            Self.accepts("permessage-deflate; server_max_window_bits=\"10\"") == plain + "; server_max_window_bits=10")
        #expect(Self.accepts("permessage-deflate; server_max_window_bits=10", smaller: false) == nil)
        #expect(
            Self.accepts("permessage-deflate; server_max_window_bits=10, permessage-deflate", smaller: false) == plain)
        for bad in [
            "server_max_window_bits=8", "server_max_window_bits", "server_max_window_bits=16",
            "server_max_window_bits=010", "client_max_window_bits=7", "unknown", "server_no_context_takeover=1",
            "client_no_context_takeover; client_no_context_takeover",
        ] {
            #expect(Self.accepts("permessage-deflate; " + bad) == nil, "\(bad)")
        }
        #expect(Self.accepts("x-webkit-deflate-frame") == nil)
        #expect(Self.accepts("") == nil)
    }

    @Test func `a server's answer is only taken if it may be given`() {
        let base = "permessage-deflate"
        #expect(WebSocketDeflateParameters(response: base)?.serverNoContextTakeover == false)
        #expect(
            WebSocketDeflateParameters(response: base + "; server_no_context_takeover")?.serverNoContextTakeover == true
        )
        #expect(WebSocketDeflateParameters(response: base + "; server_max_window_bits=8")?.serverMaxWindowBits == 8)
        #expect(WebSocketDeflateParameters(response: base + "; client_max_window_bits=10")?.clientMaxWindowBits == 10)
        #expect(WebSocketDeflateParameters(response: base + "; client_max_window_bits=7") == nil)
        #expect(WebSocketDeflateParameters(response: base + "; client_max_window_bits") == nil)
        #expect(WebSocketDeflateParameters(response: base + "; server_max_window_bits") == nil)
        #expect(WebSocketDeflateParameters(response: "foo") == nil)
    }
}
