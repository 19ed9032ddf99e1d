import Tidings

/// One thing that is measured, and its reference.
protocol BenchSubject: Sendable {
    var name: String { get }
    func measure(within budget: Duration) async throws -> BenchFigure
}

/// What came out.
struct BenchFigure: Sendable {
    var name: String
    var value: Double
    var unit: String
    var reference: String
    var referenceValue: Double
    var runs: Int
    /// CPU seconds of the measured process for a million of what is counted, and of the reference's, where that is told.
    var cpuSecondsPerMillion: Double?
    var referenceCPUSecondsPerMillion: Double?

    var json: String {
        var members: [(String, JSONValue)] = [
            ("name", .string(self.name)), ("value", Self.number(self.value)), ("unit", .string(self.unit)),
            ("reference", .string(self.reference)), ("reference_value", Self.number(self.referenceValue)),
            ("runs", .number(ExactDecimal(self.runs))),
        ]
        if let cpu = self.cpuSecondsPerMillion { members.append(("cpu_seconds_per_million", Self.number(cpu))) }
        if let cpu = self.referenceCPUSecondsPerMillion {
            members.append(("reference_cpu_seconds_per_million", Self.number(cpu)))
        }
        return JSONObject(members).description
    }

    var text: String {
        let ratio = self.referenceValue > 0 ? "  x\(Self.rounded(self.value / self.referenceValue))" : ""
        return "\(self.name.padded(to: 24)) \(Self.grouped(self.value).padded(to: 14)) \(self.unit.padded(to: 14))"
            + " \(self.reference): \(Self.grouped(self.referenceValue))\(ratio)\(self.cpuText)"
    }

    private var cpuText: String {
        guard let own = self.cpuSecondsPerMillion, let reference = self.referenceCPUSecondsPerMillion else { return "" }
        let ratio = reference > 0 ? "  x\(Self.rounded(own / reference))" : ""
        return ", CPU s per million \(Self.rounded(own)) and \(Self.rounded(reference))\(ratio)"
    }

    private static func rounded(_ value: Double) -> String {
        "\((value * 100).rounded() / 100)"
    }

    private static func number(_ value: Double) -> JSONValue {
        if value >= 100 { return .number(ExactDecimal(Int(value.rounded()))) }
        return .number(ExactDecimal((value * 1000).rounded() / 1000) ?? .zero)
    }

    private static func grouped(_ value: Double) -> String {
        guard value >= 1000 else { return Self.rounded(value) }
        var digits = String(Int(value.rounded()))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: " ")
    }
}

/// Something done again and again: how many of it a second.
struct RateBench: BenchSubject {
    let name: String
    let unit: String
    let reference: String
    /// Does about this many and returns how many it did.
    let work: @Sendable (Int) async throws -> Int
    let referenceWork: @Sendable (Int) async throws -> Int
    /// Measures the reference by itself, in events a second, where another program is it.
    var referenceRate: (@Sendable (_ time: Duration) throws -> Double)?

    func measure(within budget: Duration) async throws -> BenchFigure {
        let runs = 5
        let slice = budget / Double(2 * (runs + 1))
        var (values, references): ([Double], [Double]) = ([], [])
        // The first run of each finds the amount of work that fills a slice, and warms up.
        let amount = try await Self.calibrate(slice, self.work)
        let referenceAmount = self.referenceRate == nil ? try await Self.calibrate(slice, self.referenceWork) : 0
        for _ in 0..<runs {
            values.append(try await Self.rate(amount, self.work))
            if let rate = self.referenceRate {
                references.append(try rate(slice))
            } else {
                references.append(try await Self.rate(referenceAmount, self.referenceWork))
            }
        }
        return BenchFigure(
            name: self.name, value: values.median, unit: self.unit, reference: self.reference,
            referenceValue: references.median, runs: runs)
    }

    private static func calibrate(_ slice: Duration, _ work: (Int) async throws -> Int) async throws -> Int {
        var amount = 256
        while true {
            let start = ContinuousClock.now
            _ = try await work(amount)
            let elapsed = ContinuousClock.now - start
            if elapsed * 4 >= slice || amount >= 1 << 30 {
                return max(Int(Double(amount) * min(slice / max(elapsed, .microseconds(1)), 8)), 256)
            }
            amount *= 4
        }
    }

    private static func rate(_ amount: Int, _ work: (Int) async throws -> Int) async throws -> Double {
        let start = ContinuousClock.now
        let done = try await work(amount)
        return Double(done) / ((ContinuousClock.now - start) / .seconds(1))
    }
}

extension [Double] {
    var median: Double {
        guard !self.isEmpty else { return 0 }
        return self.sorted()[self.count / 2]
    }
}
