import Foundation
import Testing

@testable import TidingsSimulation

/// The recorded sessions beside the project, where there are any.
enum SampleRecordings {
    static let folder: String? = {
        var folder = URL(filePath: #filePath)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let candidate = folder.appending(path: "shared/recordings")
            if FileManager.default.fileExists(atPath: candidate.path) { return candidate.path }
        }
        return nil
    }()

    static var areThere: Bool { self.folder != nil }

    static func file(_ name: String) -> String { (self.folder ?? "/nowhere") + "/" + name }

    /// The received frames, read by other means than ours.
    static func received(_ name: String) throws -> [String] {
        let text = try String(contentsOfFile: self.file(name), encoding: .utf8)
        return try text.split(separator: "\n").dropFirst().compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["kind"] as? String == "received" ? object?["text"] as? String : nil
        }
    }
}

/// A file that goes away with the test.
final class TemporaryFile {
    let path: String

    init(_ lines: [String]) throws {
        self.path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).jsonl").path
        try lines.joined(separator: "\n").write(toFile: self.path, atomically: true, encoding: .utf8)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }
}

/// A small Hyperliquid session: a trade of BTC each second, a book between two, 20 frames in 9.5 s.
enum SmallSession {
    static let header = #"{"recording":1,"venue":"hyperliquid","frames":20}"#

    static func frame(_ index: Int) -> String {
        index % 2 == 0
            ? #"{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"100.\#(index)","sz":"1","tid":\#(index)}]}"#
            : #"{"channel":"l2Book","data":{"coin":"BTC","time":\#(index),"levels":[[{"px":"100.0","sz":"1.25","n":1}],[{"px":"101.5","sz":"2","n":1}]]}}"#
    }

    static var frames: [String] { (0..<20).map { self.frame($0) } }

    static var lines: [String] {
        [self.header] + (0..<20).map { self.line("\(1000 + $0 / 2).\($0 % 2 == 0 ? "0" : "5")", self.frame($0)) }
    }

    static func line(_ time: String, _ text: String, kind: String = "received") -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return #"{"t":"\#(time)","kind":"\#(kind)","text":"\#(escaped)"}"#
    }

    static func recording(_ lines: [String] = SmallSession.lines) throws -> Recording {
        let file = try TemporaryFile(lines)
        return try RecordingReader.readBlocking(file: file.path, venue: "hyperliquid")
    }

    static func source(loops: Bool = false, _ lines: [String] = SmallSession.lines) throws -> RecordedSource {
        RecordedSource(RecordedSession(try self.recording(lines), venue: HyperliquidVenue()), loops: loops)
    }
}
