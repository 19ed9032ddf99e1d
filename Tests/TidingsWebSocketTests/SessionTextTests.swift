import Testing

@testable import TidingsWebSocket

@Suite struct SessionTextTests {
    static let valid: [[UInt8]] = [
        Array("κόσμε".utf8), Array("日本語 🎉 ok".utf8), [0x00], [0x7F], [0xC2, 0x80], [0xDF, 0xBF],
        [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xEF, 0xBF, 0xBF], [0xEF, 0xBF, 0xBE],
        [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xEF, 0xBF, 0xBD],
    ]
    static let invalid: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80],
        [0xF0, 0x8F, 0xBF, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        [0xCE], [0xE1, 0x80], [0xF1, 0x80, 0x80], [0x61, 0xC2], [0xC2, 0x61], [0xE1, 0x80, 0x61],
        [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xED, 0xA0, 0x80, 0x65, 0x64],
    ]

    @Test(arguments: [WebSocketRole.server, .client]) func `valid UTF-8 passes however it is cut`(_ role: WebSocketRole)
    {
        for text in Self.valid {
            let bytes = frame(.text, text, to: role)
            for cuts in [[], Array(1..<bytes.count)] {
                #expect(events(bytes, role, cuts: cuts) == [.text(String(decoding: text, as: UTF8.self))])
            }
            for cut in 0...text.count {
                let parts =
                    frame(.text, text.prefix(cut), to: role, final: false)
                    + frame(.continuation, text.dropFirst(cut), to: role)
                #expect(events(parts, role) == [.text(String(decoding: text, as: UTF8.self))])
            }
        }
    }

    @Test(arguments: [WebSocketRole.server, .client])
    func `invalid UTF-8 closes with 1007 however it is cut`(_ role: WebSocketRole) {
        for padding in [0, 15, 16, 17, 40] {
            for text in Self.invalid.map({ [UInt8](repeating: 0x61, count: padding) + $0 }) {
                let bytes = frame(.text, text, to: role)
                for cuts in [[], Array(1..<bytes.count)] {
                    #expect(events(bytes, role, cuts: cuts) == [.close(1007, "Invalid UTF-8")])
                }
                let parts =
                    text.dropLast().flatMap { frame(.continuation, [$0], to: role, final: false) }
                    + frame(.continuation, [text[text.count - 1]], to: role)
                #expect(
                    events(frame(.text, [], to: role, final: false) + parts, role) == [.close(1007, "Invalid UTF-8")])
            }
        }
    }

    @Test func `it fails at the first wrong byte, inside a frame that is not complete`() {
        let text: [UInt8] = Array("κόσμε".utf8) + [0xF4, 0x90, 0x80, 0x80] + Array("edited".utf8)
        let bytes = frame(.text, text)
        let wrong = 6 + Array("κόσμε".utf8).count + 2
        #expect(events(Array(bytes.prefix(wrong - 1))) == [])
        #expect(events(Array(bytes.prefix(wrong))) == [.close(1007, "Invalid UTF-8")])
    }

    @Test func `binary may hold anything`() {
        for payload in Self.invalid { #expect(events(frame(.binary, payload)) == [.binary(payload)]) }
    }

    @Test func `the validator agrees with the standard library on all short sequences`() {
        let leads: [UInt8] = [0x41, 0x80, 0xC1, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF1, 0xF4, 0xF5]
        let others: [UInt8] = [0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2]
        for first in leads {
            for second in others {
                for third in others {
                    for fourth in others {
                        let bytes = [first, second, third, fourth]
                        var validator = UTF8Validator()
                        let isValid = bytes.withUnsafeBytes { validator.accept($0) } && validator.isComplete
                        if isValid != (String(validating: bytes, as: UTF8.self) != nil) { Issue.record("\(bytes)") }
                    }
                }
            }
        }
    }
}
