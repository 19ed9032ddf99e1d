import Foundation
import Tidings

/// One file of a recording, open for writing.
struct RecordingFile: Sendable {
    /// Why a file could not be made, in the system's words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let handle: FileHandle
    private let began = ContinuousClock.now
    private var bytes: UInt64 = 0

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    /// Makes a new file, named by venue and time.
    init(in directory: URL, venue: String) throws {
        let time = Timestamp.now().description.prefix(19).replacing(":", with: "").replacing("-", with: "") + "Z"
        var descriptor = Self.open(directory.appending(path: "\(venue)-\(time).jsonl").path)
        var number = 1
        // Two files within one second, or two collectors of one venue: none may write over the other's.
        while descriptor < 0, errno == EEXIST, number < 1000 {
            number += 1
            descriptor = Self.open(directory.appending(path: "\(venue)-\(time)-\(number).jsonl").path)
        }
        guard descriptor >= 0 else { throw Failure(description: String(cString: strerror(errno))) }
        self.handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let header = Array("{\"recording\":1,\"venue\":\(JSONValue.string(venue))}\n".utf8)
        try header.withUnsafeBytes { try self.append($0) }
    }

    /// - Returns: a file that was not there, or less than zero and `errno`.
    private static func open(_ path: String) -> Int32 {
        Foundation.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
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
