import Testing

@testable import Tidings

@Suite struct ExactDecimalArithmeticTests {
    private func number(_ text: String) throws -> ExactDecimal {
        try #require(ExactDecimal(text), "\(text)")
    }

    @Test(arguments: [
        ("1.5", "0.50", "2.00"), ("0.1", "0.2", "0.3"), ("-1", "1", "0"), ("-1.25", "0.5", "-0.75"),
        ("0", "0.00", "0.00"),
        ("9223372036854775807", "1", "9223372036854775808"), ("9223372036854775807", "0.1", "9223372036854775807.1"),
        ("1e3", "0.5", "1000.5"), ("1e-7", "1", "1.0000001"), ("-9223372036854775807", "-9", "-9223372036854775816"),
        (
            "123456789012345678901234567890", "0.000000000000000000000000000001",
            "123456789012345678901234567890.000000000000000000000000000001"
        ),
        ("1000000000", "999999999", "1999999999"), ("-0.0", "1.0", "1.0"),
    ])
    func `a sum has every digit`(left: String, right: String, sum: String) throws {
        #expect(try number(left).adding(try number(right))?.description == sum)
        #expect(try number(right).adding(try number(left))?.description == sum)
        #expect(try number(sum).subtracting(try number(right)) == (try number(left)))
    }

    @Test(arguments: [
        ("1.5", "-2.0", "-3.00"),
        ("9223372036854775807", "9223372036854775807", "85070591730234615847396907784232501249"),
        ("0", "5.5", "0.0"), ("1e20", "1e-20", "1.00000000000000000000"),
    ])
    func `a product has every digit`(left: String, right: String, product: String) throws {
        #expect(try number(left).multiplied(by: try number(right))?.description == product)
    }

    @Test(arguments: [
        ("1", "3", 4, "0.3333"), ("2", "3", 4, "0.6667"), ("1", "8", 2, "0.12"), ("3", "8", 2, "0.38"),
        ("-1", "8", 2, "-0.12"), ("5", "2", 0, "2"), ("7", "2", 0, "4"), ("100", "0.003", 3, "33333.333"),
        ("0", "7", 2, "0.00"),
        ("85070591730234615847396907784232501249", "9223372036854775807", 0, "9223372036854775807"),
        ("999.5", "1", 0, "1000"), ("0.0049", "1", 2, "0.00"),
    ])
    func `a quotient is rounded to the nearest, of two to the even one`(
        left: String, right: String, digits: Int, quotient: String
    ) throws {
        #expect(try number(left).divided(by: try number(right), digits: digits)?.description == quotient)
    }

    @Test func `what cannot be written out is not calculated with, and nothing is divided by zero`() throws {
        let vast = try number("1e999999")
        #expect(vast.adding(1) == nil && vast.multiplied(by: vast) == nil && vast.divided(by: 1, digits: 2) == nil)
        #expect(try number("1e999999999999999999999").adding(1) == nil)
        #expect(ExactDecimal(1).divided(by: 0, digits: 2) == nil)
        #expect(try number("0e999999").adding(1) == 1)
    }

    @Test func `short and long numbers are calculated with alike`() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let scales = (UInt8(random.below(6)), UInt8(random.below(6)))
            let (left, right) = (Int64(random.below(2_000_000)) - 1_000_000, Int64(random.below(2_000_000)) - 1_000_000)
            let (first, second) = (
                ExactDecimal(mantissa: left, scale: scales.0), ExactDecimal(mantissa: right, scale: scales.1)
            )
            let (wideFirst, wideSecond) = (try #require(WideDecimal(first)), try #require(WideDecimal(second)))
            #expect(first.adding(second)?.description == (wideFirst + wideSecond).exact?.description)
            #expect(first.multiplied(by: second)?.description == (wideFirst * wideSecond).exact?.description)
            guard right != 0, let quotient = first.divided(by: second, digits: 6) else { continue }
            // |first - quotient * second| is at most half a unit of the last digit times |second|.
            let product = try #require(quotient.multiplied(by: second))
            let rest = try #require(first.subtracting(product))
            let twice = try #require(rest.multiplied(by: 2))
            let unit = try #require(second.multiplied(by: ExactDecimal(mantissa: 1, scale: 6)))
            let size = twice < 0 ? ExactDecimal(0).subtracting(twice) : twice
            let bound = unit < 0 ? ExactDecimal(0).subtracting(unit) : unit
            #expect(try #require(size) <= bound ?? 0)
        }
    }
}
