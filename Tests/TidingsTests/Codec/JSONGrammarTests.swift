import Foundation
import Testing
import Tidings

/// Our reader accepts exactly what RFC 8259 allows.
@Suite struct JSONGrammarTests {
    static func accepts(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            do throws(JSONSyntaxError) {
                var reader = JSONReader(buffer)
                try reader.skipValue()
                try reader.expectEnd()
                return true
            } catch {
                return false
            }
        }
    }

    /// Reading into memory has to judge as passing over does.
    static func reads(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            do throws(JSONSyntaxError) {
                var reader = JSONReader(buffer)
                _ = try reader.readValue()
                try reader.expectEnd()
                return true
            } catch {
                return false
            }
        }
    }

    @Test(arguments: JSONGrammarCases.valid)
    func `what RFC 8259 allows is accepted, alone and inside containers`(json: String) {
        for text in [json, " \(json)\n", "[\(json)]", "{\"k\":\(json)}", "[0,\(json),0]"] {
            #expect(Self.accepts(Array(text.utf8)), "\(text)")
            #expect(Self.reads(Array(text.utf8)), "\(text)")
        }
        #expect(Reading.refusal(with: "\"payload\":{\"k\":\(json)}") == nil)
        #expect(Reading.refusal(with: "\"other\":\(json)") == nil)
    }

    @Test(arguments: JSONGrammarCases.invalid)
    func `what it does not allow is refused`(json: String) {
        #expect(!Self.accepts(Array(json.utf8)))
        #expect(!Self.reads(Array(json.utf8)))
        #expect(!Self.accepts(Array(" \(json)\n".utf8)))
    }

    @Test(arguments: JSONGrammarCases.valid.filter { $0.first == "{" || $0.first == "[" || $0.first == "\"" })
    func `no prefix of a text with an end is accepted`(json: String) {
        let bytes = Array(json.utf8)
        for count in 0..<bytes.count {
            #expect(!Self.accepts(Array(bytes[..<count])), "\(json) cut after \(count) bytes")
        }
    }

    @Test(.enabled(if: PythonJSON.isAvailable, "python3 is not installed"), .timeLimit(.minutes(1)))
    func `thirty thousand damaged texts are judged as Python's json judges them`() throws {
        var random = SeededGenerator(seed: 8259)
        let seeds = (JSONGrammarCases.valid + JSONGrammarCases.invalid).map { Array($0.utf8) }
        let alphabet = Array("{}[]\":,\\/ \n\t0123456789-+.eEuabnrtfls\u{1}é".utf8) + [0x80, 0xC3, 0xED, 0xA0, 0xFF]
        let texts = (0..<30_000).map { _ in
            var text = random.chance(50) ? random.pick(seeds) : random.pick(seeds) + [0x2C] + random.pick(seeds)
            if random.chance(30) { text = [UInt8(ascii: "[")] + text + [UInt8(ascii: "]")] }
            for _ in 0..<random.below(4) {
                let place = random.below(text.count + 1)
                switch random.below(3) {
                case 0: text.insert(random.pick(alphabet), at: place)
                case 1 where place < text.count: text.remove(at: place)
                case 2 where place < text.count: text[place] = random.pick(alphabet)
                default: break
                }
            }
            return text
        }
        let verdicts = try PythonJSON.judge(texts)
        try #require(verdicts.count == texts.count)
        #expect(verdicts.contains(true) && verdicts.contains(false))
        for (text, verdict) in zip(texts, verdicts) {
            let shown = String(decoding: text, as: UTF8.self).debugDescription
            #expect(Self.accepts(text) == verdict, "\(shown)")
            #expect(Self.reads(text) == verdict, "\(shown)")
        }
    }
}
