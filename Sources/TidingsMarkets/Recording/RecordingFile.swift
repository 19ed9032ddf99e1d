import Foundation
import Tidings

/// One file of a recording, open for writing.
struct RecordingFile: Sendable {
    private let handle: FileHandle
    private let began = ContinuousClock.now
    private var bytes = 0

    /// Makes a new file, named by venue and time.
    init(in directory: URL, venue: String) throws {
        let time = Timestamp.now().description.prefix(19).replacing(":", with: "").replacing("-", with: "")
        var url = directory.appending(path: "\(venue)-\(time).jsonl")
        var number = 1
        // Two files within one second, or two collectors of one venue: none may write over the other's.
        while !FileManager.default.createFile(atPath: url.path, contents: nil, exclusive: true) {
            guard number < 1000 else { throw CocoaError(.fileWriteFileExists) }
            number += 1
            url = directory.appending(path: "\(venue)-\(time)-\(number).jsonl")
        }
        self.handle = try FileHandle(forWritingTo: url)
        try self.append(Array("{\"recording\":1,\"venue\":\(JSONValue.string(venue))}\n".utf8))
    }

    mutating func append(_ bytes: [UInt8]) throws {
        try self.handle.write(contentsOf: bytes)
        self.bytes += bytes.count
    }

    func isFull(_ limits: FrameRecorder.Limits) -> Bool {
        self.bytes >= limits.fileBytes || ContinuousClock.now - self.began >= limits.fileAge
    }

    func close() {
        try? self.handle.close()
    }
}

extension FileManager {
    /// Makes a file that is not there yet.
    fileprivate func createFile(atPath path: String, contents: Data?, exclusive: Bool) -> Bool {
        do {
            try (contents ?? Data()).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
            return true
        } catch {
            return false
        }
    }
}
