import Foundation
import Logging
import Testing
import TidingsSimulation

@testable import Tidings
@testable import TidingsMarkets

@Suite struct FrameRecorderTests {
    private static let logger = Logger(label: "test")
    private static let time = Timestamp(nanoseconds: 1_700_000_000_123_456_789, precision: .nanoseconds)

    private func withDirectory(_ body: (URL) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tidings-\(UUID())")
        defer { try? FileManager.default.removeItem(at: directory) }
        try await body(directory)
    }

    private func files(in directory: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().map {
            directory.appending(path: $0).path
        }
    }

    private func record(_ text: String, _ kind: FrameRecorder.Kind, _ recorder: FrameRecorder, url: String? = nil) {
        var text = text
        text.withUTF8 { recorder.record(kind, UnsafeRawBufferPointer($0), url: url, at: Self.time) }
    }

    @Test func `what was recorded is read back byte for byte`() async throws {
        try await self.withDirectory { directory in
            let recorder = try FrameRecorder(directory: directory.path, venue: "kraken", logger: Self.logger)
            let texts = [#"{"a":"é\u0001\"\\ ","b":[1,2]}"#, "not json \u{7F} \n\t", ""]
            self.record("", .connect, recorder, url: "wss://ws.kraken.com/v2")
            for text in texts { self.record(text, .received, recorder) }
            self.record("hello", .sent, recorder)
            self.record("{}", .response, recorder, url: "https://api.kraken.com/0/public/Depth?pair=XBTUSD")
            await recorder.close()
            let file = try #require(try self.files(in: directory).first)
            let recording = try RecordingReader.readBlocking(file: file, venue: "kraken")
            #expect(recording.frames.map(\.kind) == [.connect, .received, .received, .received, .sent, .response])
            #expect(recording.frames.allSatisfy { $0.time == Self.time.nanoseconds })
            let read = recording.frames.filter { $0.kind == .received }.map {
                String(decoding: recording.text(of: $0), as: UTF8.self)
            }
            #expect(read == texts)
            #expect(recording.frames[0].url == "wss://ws.kraken.com/v2")
        }
    }

    @Test(arguments: [(bytes: 1000, age: 3600.0), (bytes: 1 << 30, age: 0.0)])
    func `a file that is large or old is followed by another, and nothing is lost between them`(
        _ limit: (bytes: Int, age: Double)
    ) async throws {
        try await self.withDirectory { directory in
            var limits = FrameRecorder.Limits()
            limits.fileBytes = limit.bytes
            limits.fileAge = .seconds(limit.age)
            let recorder = try FrameRecorder(
                directory: directory.path, venue: "kraken", limits: limits, logger: Self.logger)
            for part in 0..<5 {
                for number in 0..<30 { self.record("\(part * 30 + number)", .received, recorder) }
                await recorder.flush()
            }
            await recorder.close()
            let files = try self.files(in: directory)
            // The writing thread decides how much goes into one.
            #expect(files.count >= 3)
            #expect(recorder.lostFrames == 0)
            let numbers = try files.flatMap { file in
                let recording = try RecordingReader.readBlocking(file: file, venue: "kraken")
                return recording.frames.compactMap { Int(String(decoding: recording.text(of: $0), as: UTF8.self)) }
            }
            #expect(numbers.sorted() == Array(0..<150))
        }
    }

    @Test func `a disk that fails ends nothing, and is used again when it is back`() async throws {
        try await self.withDirectory { directory in
            var limits = FrameRecorder.Limits()
            limits.pauseAfterError = .zero
            let recorder = try FrameRecorder(
                directory: directory.path, venue: "kraken", limits: limits, logger: Self.logger)
            try FileManager.default.removeItem(at: directory)
            for number in 0..<3 { self.record("\(number)", .received, recorder) }
            await recorder.flush()
            #expect(recorder.lostFrames == 3)
            #expect(throws: RecordingFile.Failure.self) { try RecordingFile(in: directory, venue: "kraken") }
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            self.record("after", .received, recorder)
            await recorder.close()
            #expect(recorder.lostFrames == 3)
            let file = try #require(try self.files(in: directory).first)
            let recording = try RecordingReader.readBlocking(file: file, venue: "kraken")
            #expect(recording.frames.map { recording.text(of: $0) } == [Array("after".utf8)])
        }
    }

    @Test func `a disk that has failed is left alone for a while`() async throws {
        try await self.withDirectory { directory in
            let recorder = try FrameRecorder(directory: directory.path, venue: "kraken", logger: Self.logger)
            try FileManager.default.removeItem(at: directory)
            self.record("1", .received, recorder)
            await recorder.flush()
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            self.record("2", .received, recorder)
            await recorder.close()
            #expect(recorder.lostFrames == 2)
            #expect(try self.files(in: directory).isEmpty)
        }
    }

    @Test func `a disk without room fails in words and without a trap`() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        var file = RecordingFile(try #require(FileHandle(forWritingAtPath: "/dev/full")))
        let line = Array("{}\n".utf8)
        #expect(throws: (any Error).self) { try line.withUnsafeBytes { try file.append($0) } }
        file.close()
    }

    @Test func `an answer that is no UTF-8 does not make the file unreadable`() async throws {
        try await self.withDirectory { directory in
            let recorder = try FrameRecorder(directory: directory.path, venue: "kraken", logger: Self.logger)
            [UInt8]([0x61, 0xFF, 0xC3, 0x62]).withUnsafeBytes {
                recorder.record(.response, $0, url: "https://x/y", at: Self.time)
            }
            await recorder.close()
            let file = try #require(try self.files(in: directory).first)
            let recording = try RecordingReader.readBlocking(file: file, venue: "kraken")
            #expect(String(decoding: recording.text(of: recording.frames[0]), as: UTF8.self) == "a\u{FFFD}\u{FFFD}b")
        }
    }

    @Test func `what the disk cannot take in time is left out, and the rest is whole`() async throws {
        try await self.withDirectory { directory in
            var limits = FrameRecorder.Limits()
            limits.pendingBytes = 4000
            let recorder = try FrameRecorder(
                directory: directory.path, venue: "kraken", limits: limits, logger: Self.logger)
            let large = String(repeating: "x", count: 3000)
            for _ in 0..<10_000 { self.record(large, .received, recorder) }
            self.record(String(repeating: "y", count: 4000), .received, recorder)
            await recorder.close()
            let file = try #require(try self.files(in: directory).first)
            let recording = try RecordingReader.readBlocking(file: file, venue: "kraken")
            #expect(!recording.frames.isEmpty)
            // The one that is too large for the buffer is lost whatever the disk does.
            #expect(recorder.lostFrames >= 1)
            #expect(recording.frames.count + recorder.lostFrames == 10_001)
            #expect(recording.frames.allSatisfy { recording.text(of: $0).count == 3000 })
        }
    }

    @Test func `a directory that cannot be made is refused by name`() {
        let error = #expect(throws: ConnectorError.self) {
            try FrameRecorder(directory: "/dev/null/here", venue: "kraken", logger: Self.logger)
        }
        #expect(error?.message.contains("/dev/null/here") == true)
    }
}
