import Testing

@testable import Tidings

/// Secrets planted in arbitrary JSON: all gone afterwards, and nothing else changed.
@Suite struct RedactionPropertyTests {
    /// Writes one JSON object twice: with its secrets, and as it has to be afterwards.
    private struct Planter {
        var random: SeededGenerator
        var before = ""
        var after = ""
        var secrets: [String] = []

        init(seed: UInt64) {
            self.random = SeededGenerator(seed: seed)
            self.object(depth: 5)
        }

        mutating func both(_ text: String) {
            self.before += text
            self.after += text
        }

        mutating func object(depth: Int) {
            self.both("{")
            for index in 0..<self.random.below(6) {
                if index > 0 { self.both(",") }
                self.member(depth: depth)
            }
            self.both("}")
        }

        mutating func member(depth: Int) {
            switch self.random.below(5) {
            case 0:
                self.both(self.key())
                self.both(":")
                self.before += self.secretValue(depth: 2)
                self.after += "\"[redacted]\""
            case 1:
                self.both(#""url":"#)
                self.url()
            default:
                self.both(self.harmlessKey())
                self.both(":")
                self.value(depth: depth)
            }
        }

        mutating func value(depth: Int) {
            switch self.random.below(depth > 0 ? 6 : 3) {
            case 0: self.both(RandomJSON.number(&self.random))
            case 1: self.both(self.harmlessText())
            case 2: self.url()
            case 3, 4: self.object(depth: depth - 1)
            default:
                self.both("[")
                for index in 0..<self.random.below(4) {
                    if index > 0 { self.both(",") }
                    self.value(depth: depth - 1)
                }
                self.both("]")
            }
        }

        mutating func secret() -> String {
            let secret = "S3CR3T" + (0..<8).map { _ in self.random.pick(["a", "b", "Z", "9", "x"]) }.joined()
            self.secrets.append(secret)
            return secret
        }

        /// A sensitive key in some spelling, some of its letters escaped.
        mutating func key() -> String {
            let name = self.random.pick(SensitiveKeys.builtIn.filter { $0 != "token" })
            var key = "\""
            for scalar in name.unicodeScalars {
                if self.random.chance(15) { key += self.random.pick(["_", "-", ".", #"\u002d"#]) }
                let letter = self.random.chance(40) ? scalar.properties.uppercaseMapping : String(scalar)
                if self.random.chance(10), let code = letter.unicodeScalars.first?.value {
                    key += #"\u00"# + String(code, radix: 16, uppercase: self.random.chance(50))
                } else {
                    key += letter
                }
            }
            return key + "\""
        }

        mutating func secretValue(depth: Int) -> String {
            let secret = self.secret()
            switch self.random.below(depth > 0 ? 4 : 1) {
            case 0: return "\"\(secret)\""
            case 1: return "[1,\(self.secretValue(depth: depth - 1)),\"}\"]"
            case 2: return #"{"a":\#(self.secretValue(depth: depth - 1)),"b":"{\"\\"}"#
            default: return #""\"\\\#(secret)\n""#
            }
        }

        /// A text with a URL that has credentials, written with escapes or without.
        mutating func url() {
            let secret = self.secret()
            let colon = self.random.pick([":", #"\u003a"#, #"\u003A"#])
            let slash = self.random.pick(["/", #"\/"#, #"\u002f"#])
            let at = self.random.pick(["@", #"\u0040"#])
            self.both(
                "\"" + self.random.pick(["", "x ", #"é\n"#, #"\ud83d\ude00 "#]) + "https\(colon)\(slash)\(slash)")
            if self.random.chance(60) {
                self.before += "user\(colon)\(secret)"
                self.after += "[redacted]"
                self.both("\(at)host\(slash)x")
            } else {
                self.both(
                    "host\(slash)x?a=1&api\(self.random.pick(["_", "", "-"]))key\(self.random.pick(["=", #"\u003d"#]))")
                self.before += secret
                self.after += "[redacted]"
                self.both("&b=2")
            }
            self.both(self.random.pick(["", " y", #"\t\""#]) + "\"")
        }

        mutating func harmlessKey() -> String {
            self.random.pick([
                #""price""#, #""a\nb""#, #""symbol""#, #""é""#, #""passwords""#, #""""#, #""t\u006fkens""#,
            ])
        }

        mutating func harmlessText() -> String {
            self.random.pick([
                #""""#, #""password""#, #""a@b.c""#, #""x=1""#, #""50%""#, #""{\"secret\":1}""#, #""\\""#,
                #""é\u00e9""#,
                #""https://host/@a""#, #""secret\":""#,
            ])
        }
    }

    @Test func `no planted secret is left and every other byte is as it was`() throws {
        let redaction = Redaction()
        for seed in 0..<5000 {
            let planted = Planter(seed: UInt64(seed))
            let event = try StandardEvent.foreign(planted.before)
            let after = (redaction.redact(event) ?? event).payload.description
            guard after == planted.after else {
                Issue.record("seed \(seed):\n\(planted.before)\n\(after)\n\(planted.after)")
                return
            }
            #expect(planted.secrets.allSatisfy { !after.contains($0) })
        }
    }

    @Test func `a glance passes only what a full reading finds nothing in`() throws {
        let keys = SensitiveKeys()
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let object = try JSONObject(json: RandomJSON.object(&random, depth: 4))
            object.withUTF8 { bytes in
                let reading = JSONRedaction(bytes, keys: keys)
                #expect(JSONGlance.isSuspicious(bytes, keys: keys) || reading.secrets.isEmpty)
                #expect(object.depth == reading.depth || !reading.secrets.isEmpty)
            }
        }
    }

    @Test func `the glance sees a sensitive key wherever it stands`() throws {
        let keys = SensitiveKeys()
        for padding in 0..<40 {
            for name in SensitiveKeys.builtIn {
                let text = #"{"\#(String(repeating: "a", count: padding))":1,"\#(name)":"x"}"#
                try JSONObject(json: text).withUTF8 { #expect(JSONGlance.isSuspicious($0, keys: keys)) }
            }
            for mark in ["@", "=", "%", #"\n"#] {
                let text = #"{"k":"\#(String(repeating: "a", count: padding))\#(mark)"}"#
                try JSONObject(json: text).withUTF8 { #expect(JSONGlance.isSuspicious($0, keys: keys)) }
            }
            let harmless = #"{"k":"\#(String(repeating: "a", count: padding))"}"#
            try JSONObject(json: harmless).withUTF8 { #expect(!JSONGlance.isSuspicious($0, keys: keys)) }
        }
    }
}
