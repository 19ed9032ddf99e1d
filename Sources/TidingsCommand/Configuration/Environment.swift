import Foundation

/// The environment variables of the contract, `TIDINGS_` before each name.
enum Environment {
    static func value(_ name: String) -> String? {
        guard let value = ProcessInfo.processInfo.environment["TIDINGS_" + name], !value.isEmpty else { return nil }
        return value
    }
}
