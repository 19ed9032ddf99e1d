import Foundation
import Testing

/// The Prometheus text format, version 0.0.4, read by its grammar; anything that is not of it is an error.
struct PrometheusText {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    private struct Series: Hashable {
        let name: String
        let labels: [String: String]
    }

    private(set) var types: [String: String] = [:]
    private var help: Set<String> = []
    private var samples: [Series: Double] = [:]

    init(_ text: String) throws {
        guard text.unicodeScalars.last == "\n" else { throw Malformed(description: "the last line has no end") }
        var family: String?
        var closed: Set<String> = []
        // By scalars: a carriage return may stand in a label's value, where it must not hide the line's end.
        for scalars in text.unicodeScalars.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            var line = Line(text: Array(scalars))
            if line.take("# HELP ") {
                let name = try line.name()
                guard self.help.insert(name).inserted else { throw Malformed(description: "\(name) has two HELPs") }
                _ = line.take(" ")
                try Self.checkEscapes(line.rest, "\\n")
                if let family { closed.insert(family) }
                family = name
            } else if line.take("# TYPE ") {
                let name = try line.name()
                guard line.take(" "), name == family, self.types[name] == nil else {
                    throw Malformed(description: "a TYPE of \(name) stands where it should not")
                }
                let kind = line.rest
                guard ["counter", "gauge", "histogram", "summary", "untyped"].contains(kind) else {
                    throw Malformed(description: "'\(kind)' is no type")
                }
                self.types[name] = kind
            } else {
                try self.readSample(&line, of: family)
            }
        }
        guard closed.count + 1 == self.types.count else { throw Malformed(description: "a family has no TYPE") }
    }

    private mutating func readSample(_ line: inout Line, of family: String?) throws {
        let name = try line.name()
        var labels: [String: String] = [:]
        if line.take("{") {
            while !line.take("}") {
                let label = try line.name()
                guard line.take("=\"") else { throw Malformed(description: "\(name): \(label) has no value") }
                guard labels.updateValue(try line.quoted(), forKey: label) == nil else {
                    throw Malformed(description: "\(name) has \(label) twice")
                }
                guard line.take(",") || line.next == "}" else { throw Malformed(description: "\(name): no comma") }
            }
        }
        guard line.take(" "), let value = Self.number(line.rest) else {
            throw Malformed(description: "\(name) has no number: '\(line.rest)'")
        }
        let suffixes = family.flatMap { self.types[$0] } == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard let family, suffixes.contains(where: { family + $0 == name }) else {
            throw Malformed(description: "\(name) stands among the samples of \(family ?? "nothing")")
        }
        guard self.samples.updateValue(value, forKey: Series(name: name, labels: labels)) == nil else {
            throw Malformed(description: "\(name) \(labels) stands there twice")
        }
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/) == nil ? nil : Double(text)
        }
    }

    private static func checkEscapes(_ text: String, _ allowed: String) throws {
        var isEscape = false
        for scalar in text.unicodeScalars {
            if isEscape && !allowed.unicodeScalars.contains(scalar) {
                throw Malformed(description: "\\\(scalar) in '\(text)'")
            }
            isEscape = !isEscape && scalar == "\\"
        }
    }

    private struct Line {
        var text: [Unicode.Scalar]
        var index = 0

        var next: Unicode.Scalar? { self.index < self.text.count ? self.text[self.index] : nil }

        var rest: String {
            var rest = String.UnicodeScalarView()
            rest.append(contentsOf: self.text[self.index...])
            return String(rest)
        }

        mutating func take(_ expected: String) -> Bool {
            let scalars = Array(expected.unicodeScalars)
            guard self.text[self.index...].starts(with: scalars) else { return false }
            self.index += scalars.count
            return true
        }

        mutating func name() throws -> String {
            var name = ""
            while let scalar = self.next,
                scalar == "_" || scalar.isASCII && scalar.properties.isAlphabetic
                    || !name.isEmpty && ("0"..."9").contains(scalar)
            {
                name.unicodeScalars.append(scalar)
                self.index += 1
            }
            guard !name.isEmpty else { throw Malformed(description: "no name in '\(self.rest)'") }
            return name
        }

        /// A label's value, behind its opening quote.
        mutating func quoted() throws -> String {
            var value = String.UnicodeScalarView()
            while let scalar = self.next {
                self.index += 1
                if scalar == "\"" { return String(value) }
                guard scalar == "\\" else {
                    value.append(scalar)
                    continue
                }
                guard let escaped = self.next, let meant = ["\\": "\\", "\"": "\"", "n": "\n"][escaped] else {
                    throw Malformed(description: "an escape that is none")
                }
                value.append(contentsOf: String(meant).unicodeScalars)
                self.index += 1
            }
            throw Malformed(description: "a label's value does not end")
        }
    }

    // MARK: Asking

    subscript(name: String, labels: [String: String] = [:]) -> Double? {
        self.samples[Series(name: name, labels: labels)]
    }

    func labels(of name: String) -> [[String: String]] {
        self.samples.keys.filter { $0.name == name }.map(\.labels)
    }

    /// The buckets of a histogram, ascending.
    func buckets(_ name: String, _ labels: [String: String]) -> [(le: Double, count: Double)] {
        self.samples.compactMap { series, count in
            var others = series.labels
            guard series.name == name + "_bucket", let le = others.removeValue(forKey: "le"), others == labels,
                let boundary = Self.number(le)
            else { return nil }
            return (boundary, count)
        }.sorted { $0.le < $1.le }
    }
}

/// Prometheus' own checker, where it is installed.
enum Promtool {
    static let path: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/promtool" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Everything that promtool has to say about a text is a failure.
    static func check(_ text: String) throws {
        guard let path = self.path else { return }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(String(decoding: said, as: UTF8.self).isEmpty)
        #expect(process.terminationStatus == 0)
    }
}
