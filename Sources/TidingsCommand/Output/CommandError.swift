import ArgumentParser

/// A problem at run time, told in one line on standard error; the command exits with 1.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
