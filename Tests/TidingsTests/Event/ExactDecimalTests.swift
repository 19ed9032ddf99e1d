import Foundation
import Testing
import Tidings

@Suite struct ExactDecimalTests {
    @Test(arguments: EventNumberTests.numbers)
    func `the text that was read is the text that is written`(text: String) throws {
        #expect(try #require(ExactDecimal(text)).description == text)
    }

    @Test func `random numbers keep their text`() throws {
        var random = SeededGenerator(seed: 10)
        for _ in 0..<20_000 {
            let text = RandomJSON.number(&random)
            #expect(ExactDecimal(text)?.description == text)
        }
    }

    @Test(arguments: [
        "", "-", "+1", ".5", "5.", "01", "-01", "1e", "1e+", "1 ", " 1", "NaN", "nan", "inf", "Infinity", "0x10", "1_0",
        "1.2.3", "1e1.5", "--1", "1,5", "٣", "1\u{0}", "e5", "-.5", "1e5x",
    ])
    func `what JSON does not call a number is none`(text: String) {
        #expect(ExactDecimal(text) == nil)
    }

    @Test func `numbers of up to 19 digits that fit 64 bits need no text`() throws {
        #expect(try #require(ExactDecimal("50000.00")?.compact) == (5_000_000, 2))
        #expect(try #require(ExactDecimal("9223372036854775807")?.compact) == (.max, 0))
        #expect(try #require(ExactDecimal("-9223372036854775807")?.compact) == (-.max, 0))
        #expect(try #require(ExactDecimal("0.123456789012345678")?.compact) == (123_456_789_012_345_678, 18))
        #expect(ExactDecimal("9223372036854775808")?.compact == nil)
        #expect(ExactDecimal("9999999999999999999")?.compact == nil)
        #expect(ExactDecimal("18446744073709551617")?.compact == nil)
        #expect(ExactDecimal("-0")?.compact == nil)
        #expect(ExactDecimal("1e2")?.compact == nil)
    }

    @Test(
        arguments: [
            (0, 0, "0"), (0, 1, "0.0"), (0, 3, "0.000"), (5, 0, "5"), (5, 1, "0.5"), (5, 2, "0.05"), (50, 1, "5.0"),
            (12_345, 2, "123.45"), (12_345, 5, "0.12345"), (12_345, 7, "0.0012345"), (-5, 1, "-0.5"),
            (-12_345, 2, "-123.45"),
            (.max, 0, "9223372036854775807"), (.min, 0, "-9223372036854775808"), (.min, 18, "-9.223372036854775808"),
            (.min, 19, "-0.9223372036854775808"), (1, 255, "0." + String(repeating: "0", count: 254) + "1"),
        ] as [(Int64, UInt8, String)])
    func `a mantissa and a scale are written as they stand`(mantissa: Int64, scale: UInt8, text: String) {
        #expect(ExactDecimal(mantissa: mantissa, scale: scale).description == text)
    }

    @Test func `every count of digits is written right`() {
        var value: UInt64 = 1
        for count in 1...19 {
            for number in [value, value &* 10 &- 1, value &+ 1] {
                var writer = JSONWriter()
                writer.write(number)
                #expect(writer.string() == String(number), "\(count) digits")
            }
            value = value &* 10
        }
        for number in [UInt64.max, 0, 9, 10, 99, 100] {
            var writer = JSONWriter()
            writer.write(number)
            #expect(writer.string() == String(number))
        }
    }

    @Test func `a binary number becomes its shortest decimal, NaN and infinities become none`() {
        #expect(ExactDecimal.init(0.1)?.description == "0.1")
        #expect(ExactDecimal(Double.leastNonzeroMagnitude)?.description == "5e-324")
        #expect(ExactDecimal.init(1e16)?.description == "1e+16")
        #expect(ExactDecimal.init(-0.0)?.description == "-0.0")
        #expect(ExactDecimal(Double.nan) == nil)
        #expect(ExactDecimal(Double.infinity) == nil)
        #expect(ExactDecimal(-Double.infinity) == nil)
        #expect(ExactDecimal("1e400")?.doubleValue == .infinity)
        #expect(ExactDecimal("50000.10")?.doubleValue == 50000.10)
    }
}
