import Tidings

/// Arbitrary JSON, compact and with white space strewn in.
enum RandomJSON {
    static func text(_ random: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<random.below(12) {
            switch random.below(6) {
            case 0: text.unicodeScalars.append(UnicodeScalar(UInt8(random.below(32))))
            case 1: text += random.pick(["\"", "\\", "/", "\\u0041", "\\n", "{", "}", ",", ":"])
            case 2: text.unicodeScalars.append(UnicodeScalar(UInt32(random.below(0xD800))) ?? "x")
            case 3: text.unicodeScalars.append(UnicodeScalar(UInt32(0xE000 + random.below(0x10_2000))) ?? "y")
            default: text += random.pick(["a", "bc", " ", "symbol", "price", "0123456789"])
            }
        }
        return text
    }

    static func number(_ random: inout SeededGenerator) -> String {
        func digits(_ count: Int, _ random: inout SeededGenerator) -> String {
            (0..<count).map { _ in String(random.below(10)) }.joined()
        }
        var number = random.chance(30) ? "-" : ""
        let length = random.chance(80) ? random.below(8) : random.below(40)
        number += length == 0 ? "0" : String(1 + random.below(9)) + digits(length - 1, &random)
        if random.chance(50) { number += "." + digits(1 + random.below(random.chance(80) ? 8 : 40), &random) }
        if random.chance(15) {
            number += random.pick(["e", "E"]) + random.pick(["", "+", "-"]) + digits(1 + random.below(4), &random)
        }
        return number
    }

    /// A string token, sometimes with escapes that need not be.
    static func string(_ random: inout SeededGenerator) -> String {
        if random.chance(20) { return random.pick([#""\u0041""#, #""\/""#, #""\ud83d\ude00""#, #""\uD800""#, #""""#]) }
        return JSONValue.string(self.text(&random)).description
    }

    static func value(_ random: inout SeededGenerator, depth: Int) -> String {
        switch random.below(depth > 0 ? 7 : 5) {
        case 0: random.pick(["null", "true", "false"])
        case 1, 2: self.number(&random)
        case 3, 4: self.string(&random)
        case 5: self.object(&random, depth: depth - 1)
        default:
            "[" + (0..<random.below(4)).map { _ in self.value(&random, depth: depth - 1) }.joined(separator: ",") + "]"
        }
    }

    static func object(_ random: inout SeededGenerator, depth: Int) -> String {
        "{"
            + (0..<random.below(5)).map { _ in
                self.string(&random) + ":" + self.value(&random, depth: depth)
            }.joined(separator: ",") + "}"
    }

    /// The same JSON with white space between some of its tokens.
    static func spread(_ json: String, _ random: inout SeededGenerator) -> String {
        var output: [UInt8] = []
        var inString = false
        var isEscaped = false
        for byte in json.utf8 {
            let isPunctuation = "{}[]:,".utf8.contains(byte) && !inString
            if isPunctuation && random.chance(40) {
                output += Array(random.pick([" ", "\n", "\t", "\r\n", "  "]).utf8)
            }
            output.append(byte)
            if isPunctuation && random.chance(40) {
                output += Array(random.pick([" ", "\n", "\t", "\r\n", "  "]).utf8)
            }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString.toggle()
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
