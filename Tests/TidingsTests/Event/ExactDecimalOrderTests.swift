import Foundation
import Testing
import Tidings

@Suite struct ExactDecimalOrderTests {
    /// From the least to the greatest; the texts of one row are equal.
    static let ladder: [[String]] = [
        ["-1e999999999999999999999"], ["-1e400"], ["-1e399"], ["-12345678901234567890123"], ["-9223372036854775808"],
        ["-9223372036854775807"], ["-10", "-10.0", "-1e1", "-0.1e2"], ["-1.5", "-1.50", "-15e-1"],
        ["-1e-7", "-0.0000001"],
        ["-1e-400"],
        ["0", "-0", "0.0", "-0.0", "0.000", "0e5", "-0e-999", "0E+400"],
        ["1e-999999999999999999999"], ["1e-400", "10e-401"], ["0.0000000000000000000000000000001", "1e-31"],
        ["1e-7", "0.0000001", "10e-8", "0.00000010"], ["0.1"], ["0.10000000000000000000000000000000000001"],
        ["1", "1.0", "1e0", "1.000000000000000000000000000000", "10e-1"], ["1.000000000000000001"],
        ["1.5", "1.50", "1.500", "150e-2"], ["9"], ["10", "1e1", "10.00"], ["99999.99"], ["100000", "1e5", "1E+5"],
        ["9223372036854775806"], ["9223372036854775807"], ["9223372036854775807.1"], ["9223372036854775808"],
        ["12345678901234567890123"], ["1e399"], ["1e400"], ["1e999999999999999999999"],
    ]

    @Test func `numbers compare by value, however they are written`() throws {
        let rows = try Self.ladder.map { try $0.map { try #require(ExactDecimal($0)) } }
        for (leftRow, lefts) in rows.enumerated() {
            for left in lefts {
                for (rightRow, rights) in rows.enumerated() {
                    for right in rights {
                        #expect((left == right) == (leftRow == rightRow), "\(left) == \(right)")
                        #expect((left < right) == (leftRow < rightRow), "\(left) < \(right)")
                        #expect((left > right) == (leftRow > rightRow), "\(left) > \(right)")
                        if leftRow == rightRow { #expect(left.hashValue == right.hashValue, "\(left), \(right)") }
                    }
                }
            }
        }
    }

    @Test func `scales far apart compare right`() {
        let tiny = ExactDecimal(mantissa: 1, scale: 255)
        #expect(tiny > 0)
        #expect(tiny < ExactDecimal(mantissa: 1, scale: 254))
        #expect(ExactDecimal(mantissa: .max, scale: 255) < ExactDecimal(mantissa: 1, scale: 0))
        #expect(ExactDecimal(mantissa: .min, scale: 0) < ExactDecimal(mantissa: .min, scale: 18))
        #expect(ExactDecimal(mantissa: .max, scale: 0) > ExactDecimal(mantissa: .max, scale: 18))
    }

    @Test func `order and equality agree with Foundation's decimals`() throws {
        var random = SeededGenerator(seed: 20)
        func number(_ random: inout SeededGenerator) -> String {
            let digits = String(random.next() % (random.chance(50) ? 1000 : 1_000_000_000_000_000))
            let point = random.below(digits.count + 1)
            let whole = digits.prefix(point).drop { $0 == "0" }
            var text = (random.chance(40) ? "-" : "") + (whole.isEmpty ? "0" : whole)
            if point < digits.count { text += "." + digits.dropFirst(point) }
            if random.chance(30) { text += String(repeating: "0", count: text.contains(".") ? random.below(5) : 0) }
            if random.chance(20) { text += "e" + String(random.below(30) - 15) }
            return text
        }
        let locale = Locale(identifier: "en_US_POSIX")
        for _ in 0..<20_000 {
            let (left, right) = (number(&random), number(&random))
            let ours = try (#require(ExactDecimal(left)), #require(ExactDecimal(right)))
            let theirs = try (
                #require(Decimal(string: left, locale: locale)), #require(Decimal(string: right, locale: locale))
            )
            #expect((ours.0 == ours.1) == (theirs.0 == theirs.1), "\(left) == \(right)")
            #expect((ours.0 < ours.1) == (theirs.0 < theirs.1), "\(left) < \(right)")
            if ours.0 == ours.1 { #expect(ours.0.hashValue == ours.1.hashValue) }
        }
    }
}
