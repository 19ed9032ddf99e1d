import Foundation
import Tidings

/// One file of a recording, open for writing.
struct RecordingFile: Sendable {
    private let handle: FileHandle
    private let began = ContinuousClock.now
    private var bytes: UInt64 = 0

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    /// Makes a new file, named by venue and time.
    init(in directory: URL, venue: String) throws {
        let time = Timestamp.now().description.prefix(19).replacing(":", with: "").replacing("-", with: "") + "Z"
        var url = directory.appending(path: "\(venue)-\(time).jsonl")
        var number = 1
        // Two files within one second, or two collectors of one venue: none may write over the other's.
        while !FileManager.default.createFile(atPath: url.path, contents: nil, exclusive: true) {
            guard number < 1000 else { throw CocoaError(.fileWriteFileExists) }
            number += 1
            url = directory.appending(path: "\(venue)-\(time)-\(number).jsonl")
        }
        self.handle = try FileHandle(forWritingTo: url)
        let header = Array("{\"recording\":1,\"venue\":\(JSONValue.string(venue))}\n".utf8)
        try header.withUnsafeBytes { try self.append($0) }
    }

    /// Writes whole lines. Where that fails, the file ends with the last whole line before them.
    mutating func append(_ lines: UnsafeRawBufferPointer) throws {
        do {
            try self.handle.write(contentsOf: lines)
        } catch {
            try? self.handle.truncate(atOffset: self.bytes)
            throw error
        }
        self.bytes += UInt64(lines.count)
    }

    func isFull(_ limits: FrameRecorder.Limits) -> Bool {
        self.bytes >= UInt64(max(0, limits.fileBytes)) || ContinuousClock.now - self.began >= limits.fileAge
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
