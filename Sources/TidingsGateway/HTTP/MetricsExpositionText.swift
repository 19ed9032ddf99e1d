import Tidings

/// Text in the Prometheus exposition format, version 0.0.4.
///
/// A family's name is `HELP`ed and `TYPE`d once, before its first sample; a family without samples leaves nothing.
struct MetricsExpositionText {
    enum Kind: String {
        case counter, gauge, histogram
    }

    typealias Label = (name: String, value: String)

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// A family of one sample, without labels.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: some MetricValue) {
        self.family(name, kind, help) { $0.sample(value) }
    }

    /// A family; `body` adds its samples, no two of which have the same labels.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Family) -> Void) {
        var family = Family(name: name)
        body(&family)
        guard !family.text.isEmpty else { return }
        self.text += "# HELP \(name) \(Self.escaped(help))\n# TYPE \(name) \(kind.rawValue)\n"
        self.text += family.text
    }

    /// Without what would end a line of help.
    static func escaped(_ help: String) -> String {
        guard help.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\n") }) else { return help }
        return Self.replacing(help) { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : nil }
    }

    /// Without what would end a label's value.
    static func escaped(label value: String) -> String {
        Self.replacing(value) { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : $0 == "\"" ? "\\\"" : nil }
    }

    /// By scalars, as a line end that follows a carriage return is one character with it.
    private static func replacing(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
        var replaced = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let other = replacement(scalar) {
                replaced.append(contentsOf: other.unicodeScalars)
            } else {
                replaced.append(scalar)
            }
        }
        return String(replaced)
    }

    /// The samples of one family.
    struct Family {
        fileprivate let name: String
        fileprivate(set) var text = ""

        /// The powers of two, in nanoseconds, that histograms are cut at: 1 us, 4 us, ... 69 s. Our own histograms are exact
        /// there, to the nanosecond that a boundary itself belongs to.
        static let exponents = stride(from: 10, through: 36, by: 2)

        fileprivate init(name: String) {
            self.name = name
        }

        mutating func sample(_ value: some MetricValue, _ labels: Label...) {
            self.line("", value.metricText, labels)
        }

        /// A histogram of seconds.
        mutating func histogram(_ histogram: LatencyHistogram, _ labels: Label...) {
            for exponent in Self.exponents {
                let boundary = Double(UInt64(1) << UInt64(exponent)) / 1e9
                self.line(
                    "_bucket", histogram.count(belowPowerOfTwo: exponent).metricText,
                    labels + [("le", boundary.metricText)])
            }
            self.line("_bucket", histogram.total.metricText, labels + [("le", "+Inf")])
            self.line("_sum", (Double(histogram.sum) / 1e9).metricText, labels)
            self.line("_count", histogram.total.metricText, labels)
        }

        private mutating func line(_ suffix: String, _ value: String, _ labels: [Label]) {
            self.text += self.name + suffix
            if !labels.isEmpty {
                self.text += "{"
                for (place, label) in labels.enumerated() {
                    if place > 0 { self.text += "," }
                    self.text += "\(label.name)=\"\(MetricsExpositionText.escaped(label: label.value))\""
                }
                self.text += "}"
            }
            self.text += " \(value)\n"
        }
    }
}

/// A number that a sample can have.
protocol MetricValue {
    var metricText: String { get }
}

extension Int: MetricValue {
    var metricText: String { self.description }
}

extension Int64: MetricValue {
    var metricText: String { self.description }
}

extension UInt64: MetricValue {
    var metricText: String { self.description }
}

extension Double: MetricValue {
    var metricText: String {
        if self.isNaN { return "NaN" }
        if self.isInfinite { return self < 0 ? "-Inf" : "+Inf" }
        return self == self.rounded() && abs(self) < 1e15 ? Int64(self).description : self.description
    }
}
