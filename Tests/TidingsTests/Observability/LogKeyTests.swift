import Foundation
import Testing

@testable import Tidings

/// Reads our own sources: what stands in a log line can only be relied on when there is one list of it.
struct LogKeyTests {
    private static let package = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func sources() throws -> [(file: String, text: String)] {
        let folder = Self.package.appending(path: "Sources")
        // Folders may be links where a package is put together from parts.
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.resolvingSymlinksInPath().path)
        return try files.filter { $0.hasSuffix(".swift") }.map {
            ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8))
        }
    }

    /// Every key with the line of documentation above it.
    private static func keys() throws -> [String: (value: String, isDocumented: Bool)] {
        let file = Self.package.appending(path: "Sources/Tidings/Observability/LogKey.swift")
        var keys: [String: (String, Bool)] = [:]
        var previous = ""
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let line = line.trimmingCharacters(in: .whitespaces)
            if let match = line.wholeMatch(of: /package static let (\w+) = "([^"]*)"/) {
                keys[String(match.1)] = (String(match.2), previous.hasPrefix("///"))
            }
            previous = line
        }
        return keys
    }

    @Test func `every key is documented, dotted and the only one of its text`() throws {
        let keys = try Self.keys()
        #expect(keys.count > 10)
        for (name, key) in keys {
            #expect(key.isDocumented, "\(name) has no documentation")
            #expect(key.value.wholeMatch(of: /tidings(\.[a-z_]+)+/) != nil, "\(name) is '\(key.value)'")
        }
        #expect(Set(keys.values.map(\.value)).count == keys.count)
        #expect(keys["eventID"]?.value == LogKey.eventID)
    }

    @Test func `log lines carry nothing but what is on the list`() throws {
        let known = Set(try Self.keys().keys)
        var used: Set<String> = []
        for (file, text) in try Self.sources() {
            for expression in MetadataKeys.expressions(in: text) {
                let match = expression.wholeMatch(of: /LogKey\.(\w+)/)
                #expect(match != nil, "\(file): '\(expression)' is no LogKey")
                guard let match else { continue }
                #expect(known.contains(String(match.1)), "\(file): LogKey.\(match.1) is not on the list")
                used.insert(String(match.1))
            }
        }
        #expect(used.isSuperset(of: ["error", "subscriber", "eventID"]))
    }

    @Test func `keys are found in literals over several lines and in subscripts`() {
        let text = #"""
            logger.info("x", metadata: [LogKey.error: "\(a[1, 2]) : ,", "b.c": .array([1, 2])])
            logger[metadataKey: LogKey.file] = "x"
            logger.info(
                "y",
                metadata: [
                    LogKey.count: "\(f(["a": "b"]))",
                    other: "z",
                ])
            logger.info("z", metadata: [:])
            """#
        #expect(
            MetadataKeys.expressions(in: text) == ["LogKey.error", #""b.c""#, "LogKey.count", "other", "LogKey.file"])
    }
}

/// The keys of the metadata in Swift source text.
private enum MetadataKeys {
    static func expressions(in text: String) -> [String] {
        var found: [String] = []
        var rest = text[...]
        while let start = rest.range(of: "metadata: [") {
            rest = rest[start.upperBound...]
            found += Self.keys(ofLiteral: rest)
        }
        for match in text.matches(of: /logger\w*\[metadataKey: ([^\]]+)\]/) { found.append(String(match.1)) }
        return found.filter { $0 != "" }
    }

    /// What stands before a colon at the literal's own level.
    private static func keys(ofLiteral text: Substring) -> [String] {
        var keys: [String] = []
        var key = ""
        var isKey = true
        var depth = 0
        var isText = false
        var interpolations: [Int] = []
        var previous: Character = " "
        for character in text {
            defer { previous = character }
            if isText {
                if isKey && depth == 0 { key.append(character) }
                if character == "(" && previous == "\\" {
                    interpolations.append(depth)
                    depth += 1
                    isText = false
                } else if character == "\"" && previous != "\\" {
                    isText = false
                }
                continue
            }
            switch character {
            case "\"":
                isText = true
                if isKey && depth == 0 { key.append(character) }
            case "(", "[", "{": depth += 1
            case ")", "]", "}":
                if depth == 0 { return keys }
                depth -= 1
                if interpolations.last == depth {
                    interpolations.removeLast()
                    isText = true
                }
            case ":" where depth == 0 && isKey:
                keys.append(key.trimmingCharacters(in: .whitespacesAndNewlines))
                isKey = false
            case "," where depth == 0:
                key = ""
                isKey = true
            default:
                if isKey && depth == 0 { key.append(character) }
            }
        }
        return keys
    }
}
