import Foundation

/// `${file:PATH}` and `${env:NAME}` in a setting: what must not stand in the configuration file itself.
enum References {
    /// A reference that leads nowhere. Says what was asked for, and nothing of what was found.
    struct Problem: Error, Equatable {
        let message: String
    }

    /// More than this is no secret.
    private static let longestFile = 64 << 10

    /// The text with its references replaced.
    ///
    /// - Parameter directory: where relative paths begin. A file's text is taken without the white space at its ends.
    static func resolve(
        _ text: String, directory: String, environment: (String) -> String? = Self.environmentVariable
    ) throws(Problem) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.range(of: "${") {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw Problem(message: "a '${' has no '}'")
            }
            result += try Self.value(of: rest[start.upperBound..<end], directory, environment)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    static func environmentVariable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name]
    }

    private static func value(
        of reference: Substring, _ directory: String, _ environment: (String) -> String?
    ) throws(Problem) -> String {
        if reference.hasPrefix("env:") {
            let name = String(reference.dropFirst(4))
            guard let value = environment(name), !value.isEmpty else {
                throw Problem(message: "the environment variable '\(name)' is not set")
            }
            return value
        }
        guard reference.hasPrefix("file:") else {
            throw Problem(message: "'${\(reference)}' must be ${file:PATH} or ${env:NAME}")
        }
        let name = String(reference.dropFirst(5))
        guard !name.isEmpty else { throw Problem(message: "'${file:}' names no file") }
        return try Self.contents(of: RunConfiguration.resolve(name, directory))
    }

    private static func contents(of path: String) throws(Problem) -> String {
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            data = try file.read(upToCount: Self.longestFile + 1) ?? Data()
            try file.close()
        } catch {
            throw Problem(message: "the file '\(path)' cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= Self.longestFile else {
            throw Problem(message: "the file '\(path)' is longer than \(Self.longestFile / 1024) KiB")
        }
        guard let text = String(data: data, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines),
            !text.isEmpty
        else { throw Problem(message: "the file '\(path)' is empty or is no text") }
        return text
    }
}
