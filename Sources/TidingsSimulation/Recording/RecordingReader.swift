internal import NIOPosix

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads recordings from files.
package enum RecordingReader {
    /// A longer line is refused rather than kept.
    static let maximumLineBytes = 64 << 20

    /// Reads a recording of `venue`, on a thread where waiting for a disk hurts nobody.
    ///
    /// What is wrong is told with the file and the line.
    package static func read(file: String, venue: String) async throws(ExchangeSimulatorError) -> Recording {
        let result: Result<Recording, ExchangeSimulatorError>
        do {
            result = try await NIOThreadPool.singleton.runIfActive {
                Result { () throws(ExchangeSimulatorError) in try Self.readBlocking(file: file, venue: venue) }
            }
        } catch {
            throw ExchangeSimulatorError(.invalidRecording, "\(file): reading was given up", underlying: error)
        }
        return try result.get()
    }

    /// Reads a recording of `venue`, waiting for the disk.
    package static func readBlocking(file: String, venue: String) throws(ExchangeSimulatorError) -> Recording {
        var parser = RecordingParser()
        var line = 0
        do throws(RecordingParser.Problem) {
            try self.forEachLine(of: file) { bytes throws(RecordingParser.Problem) in
                line += 1
                try parser.take(bytes)
            }
            line = 0
            let recording = try parser.finish()
            line = 1
            guard recording.venue == venue else {
                throw RecordingParser.Problem(message: "a recording of '\(recording.venue)', not of '\(venue)'")
            }
            return recording
        } catch {
            let place = line == 0 ? file : "\(file):\(line)"
            throw ExchangeSimulatorError(.invalidRecording, "\(place): \(error.message)")
        }
    }

    private static func forEachLine(
        of file: String, _ body: (UnsafeRawBufferPointer) throws(RecordingParser.Problem) -> Void
    ) throws(RecordingParser.Problem) {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw RecordingParser.Problem(message: systemMessage()) }
        defer { close(descriptor) }
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 8)
        defer { chunk.deallocate() }
        // The beginning of a line whose end has not been read yet.
        var kept: [UInt8] = []
        while true {
            let count = readBytes(descriptor, chunk)
            if count < 0 {
                if errno == EINTR { continue }
                throw RecordingParser.Problem(message: systemMessage())
            }
            if count == 0 { break }
            var rest = UnsafeRawBufferPointer(rebasing: chunk[..<count])
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let part = UnsafeRawBufferPointer(rebasing: rest[..<end])
                rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
                if kept.isEmpty {
                    try body(part)
                } else {
                    kept += part
                    try Self.deliver(kept, to: body)
                    kept.removeAll(keepingCapacity: true)
                }
            }
            kept += rest
            guard kept.count <= Self.maximumLineBytes else {
                throw RecordingParser.Problem(message: "a line of more than \(Self.maximumLineBytes) bytes")
            }
        }
        if !kept.isEmpty { try Self.deliver(kept, to: body) }
    }

    private static func deliver(
        _ line: [UInt8], to body: (UnsafeRawBufferPointer) throws(RecordingParser.Problem) -> Void
    ) throws(RecordingParser.Problem) {
        let outcome: Result<Void, RecordingParser.Problem> = line.withUnsafeBytes { bytes in
            Result { () throws(RecordingParser.Problem) in try body(bytes) }
        }
        try outcome.get()
    }
}

/// `read`, which inside of ``RecordingReader`` would be its own.
private func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}

private func systemMessage() -> String {
    String(cString: strerror(errno))
}
