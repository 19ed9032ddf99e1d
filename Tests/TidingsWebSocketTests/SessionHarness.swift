import Testing

@testable import TidingsWebSocket

/// What a session did, with payloads copied out, so that runs can be compared.
enum Event: Equatable, CustomStringConvertible {
    case text(String)
    case binary([UInt8])
    case pong([UInt8])
    case ping([UInt8])
    case close(Int?, String)
    case finished(Int)

    var description: String {
        switch self {
        case .text(let text): "text(\(text.prefix(40)))"
        case .binary(let bytes): "binary(\(bytes.count))"
        case .pong(let bytes): "pong(\(bytes))"
        case .ping(let bytes): "ping(\(bytes))"
        case .close(let code, let reason): "close(\(code.map(String.init) ?? "none"), \(reason))"
        case .finished(let code): "finished(\(code))"
        }
    }
}

/// A session fed by hand.
struct SessionHarness: ~Copyable {
    var session: WebSocketSession
    var events: [Event] = []

    init(
        _ role: WebSocketRole = .server, options: WebSocketOptions = .init(),
        deflate: WebSocketDeflateParameters? = nil
    ) {
        self.session = WebSocketSession(role: role, options: options, deflate: deflate, now: 0)
    }

    var nextWake: Int64? { self.session.nextWake }

    /// Feeds bytes, all at once or cut at the given places.
    mutating func feed(_ bytes: [UInt8], cuts: [Int] = [], now: Int64 = 0) {
        var start = 0
        for end in cuts + [bytes.count] where end >= start && end <= bytes.count {
            self.feed(slice: bytes[start..<end], now: now)
            start = end
        }
    }

    private mutating func feed(slice: ArraySlice<UInt8>, now: Int64) {
        // A copy of its own, so that reading past the end is seen by a sanitizer.
        Array(slice).withUnsafeBytes { input in
            var offset = 0
            while let action = self.session.next(in: input, from: &offset, now: now) {
                self.record(action, input)
            }
            if offset != input.count { Issue.record("bytes were left over") }
        }
    }

    mutating func wake(_ now: Int64, isReading: Bool = true) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        while let action = self.session.wake(now: now, isReading: isReading) { self.record(action, nothing) }
    }

    mutating func close(_ code: WebSocketCloseCode, reason: String = "", now: Int64 = 0) {
        guard let action = self.session.close(code, reason: reason, now: now) else { return }
        self.record(action, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private mutating func record(_ action: WebSocketAction, _ input: UnsafeRawBufferPointer) {
        func bytes(_ payload: WebSocketPayload) -> UnsafeRawBufferPointer {
            switch payload {
            case .input(let range): UnsafeRawBufferPointer(rebasing: input[range])
            case .assembled: self.session.assembled
            }
        }
        switch action {
        case .text(let payload): self.events.append(.text(String(decoding: bytes(payload), as: UTF8.self)))
        case .binary(let payload): self.events.append(.binary(Array(bytes(payload))))
        case .send(let frame): self.events.append(Self.decode(frame, role: self.session.role))
        case .finished(let closure): self.events.append(.finished(Int(closure.code.rawValue)))
        }
    }

    private static func decode(_ frame: [UInt8], role: WebSocketRole) -> Event {
        let isMasked = frame[1] & 0x80 != 0
        #expect(isMasked == (role == .client))
        var payload = Array(frame.dropFirst(isMasked ? 6 : 2))
        #expect(Int(frame[1] & 0x7F) == payload.count)
        if isMasked {
            let key = frame[2..<6].enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) }
            payload.withUnsafeMutableBytes { WebSocketMask.apply(key, to: $0) }
        }
        switch frame[0] {
        case 0x8A: return .pong(payload)
        case 0x89: return .ping(payload)
        case 0x88:
            guard payload.count >= 2 else { return .close(nil, "") }
            return .close(
                Int(payload[0]) << 8 | Int(payload[1]), String(decoding: payload.dropFirst(2), as: UTF8.self))
        default:
            Issue.record("an unknown frame was sent: \(frame)")
            return .close(nil, "")
        }
    }
}

/// A frame as the peer of a server (masked) or of a client would send it.
func frame(
    _ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>, to role: WebSocketRole = .server, final: Bool = true,
    compressed: Bool = false
) -> [UInt8] {
    WebSocketFrameHeader(
        opcode, payloadLength: payload.count, isFinal: final, isCompressed: compressed,
        maskingKey: role == .server ? 0x3721_FA9D : nil
    ).frame(payload)
}

func frame(_ opcode: WebSocketOpcode, _ text: String, to role: WebSocketRole = .server, final: Bool = true) -> [UInt8] {
    frame(opcode, Array(text.utf8), to: role, final: final)
}

func closeFrame(_ code: Int?, _ reason: [UInt8] = [], to role: WebSocketRole = .server) -> [UInt8] {
    frame(.close, (code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []) + reason, to: role)
}

/// What a fresh session makes of some bytes.
func events(
    _ bytes: [UInt8], _ role: WebSocketRole = .server, options: WebSocketOptions = .init(),
    deflate: WebSocketDeflateParameters? = nil, cuts: [Int] = []
) -> [Event] {
    var harness = SessionHarness(role, options: options, deflate: deflate)
    harness.feed(bytes, cuts: cuts)
    return harness.events
}

/// Random numbers that come again with the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Event {
    /// Compares only the code of a close, where the words do not matter.
    static func closing(_ events: [Event]) -> Int? {
        for case .close(let code, _) in events { return code }
        return nil
    }
}
