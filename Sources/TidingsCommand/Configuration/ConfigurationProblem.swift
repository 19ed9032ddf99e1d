import Tidings

/// Something wrong in a file, and where.
struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    var file: String
    /// From 1.
    var line: Int
    var column: Int
    /// The field's path, such as `connectors[0].venue`; empty for the file itself.
    var field: String
    var message: String

    var description: String {
        let field = self.field.isEmpty ? "" : "\(self.field): "
        return "\(self.file):\(self.line):\(self.column): \(field)\(self.message)"
    }
}

/// All that is wrong in a file.
struct ConfigurationErrors: Error, CustomStringConvertible {
    let problems: [ConfigurationProblem]

    var description: String {
        self.problems.map(\.description).joined(separator: "\n")
    }
}
