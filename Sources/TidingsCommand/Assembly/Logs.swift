import Foundation
import Logging
import Tidings

/// Where log lines go: standard error, as text for people or JSON for programs.
enum Logs {
    static func bootstrap(level: String, format: RunConfiguration.LogFormat) {
        let level = Logger.Level(rawValue: level) ?? .info
        LoggingSystem.bootstrap { label in
            var handler: any LogHandler =
                format == .json ? JSONLogHandler(label: label) : StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}

/// One JSON object a line: `time`, `level`, `logger`, `message`, and the metadata by its keys.
struct JSONLogHandler: LogHandler {
    let label: String
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    init(label: String) {
        self.label = label
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var members: [(String, JSONValue)] = [
            ("time", .string(Timestamp.now().description)), ("level", .string(event.level.rawValue)),
            ("logger", .string(self.label)), ("message", .string(event.message.description)),
        ]
        let all = self.metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { members.append((key, .string("\(value)"))) }
        StandardError.write(JSONObject(members).description + "\n")
    }
}
