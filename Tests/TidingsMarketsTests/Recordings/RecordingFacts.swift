import Foundation

/// What `Tests/Scripts/recording_facts.py` says about a recording: computed without our code, and told as texts so that
/// digits are compared.
struct RecordingFacts: Decodable {
    struct Market: Decodable {
        var venue_symbol: String
        var counts: [String: Int]
        var volume: String
        var bought: String
        /// Every level after the last frame, best first: price and size.
        var bids: [[String]]
        var asks: [[String]]
        /// Price, size and the taker's side.
        var first_trade: [String]?
        var last_trade: [String]?
        var first_ticker: [String: String]?
        var last_ticker: [String: String]?
        /// What became of the book's updates, and how often.
        var updates: [String: Int]?
    }

    struct Failure: Error {
        var reason: String
    }

    var venue: String
    var frames: Int
    /// By our spelling of the symbols.
    var markets: [String: Market]

    private static let script = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scripts/recording_facts.py")

    static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Runs the script.
    static func of(_ recording: URL) throws -> RecordingFacts {
        guard let python = self.python else { throw Failure(reason: "there is no python3") }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: python)
        process.arguments = [self.script.path, recording.path]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(reason: "\(self.script.path) ended with \(process.terminationStatus)")
        }
        return try JSONDecoder().decode(RecordingFacts.self, from: data)
    }
}
