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

    @Test func `a large file is followed by another, and nothing is lost between them`() async throws {
        try await self.withDirectory { directory in
            var limits = FrameRecorder.Limits()
            limits.fileBytes = 1000
            for part in 0..<5 {
                // Closing in between, so that each part is written by itself.
                let recorder = try FrameRecorder(
                    directory: directory.path, venue: "kraken", limits: limits, logger: Self.logger)
                for number in 0..<10 { self.record("\(part * 10 + number)", .received, recorder) }
                await recorder.close()
            }
            let files = try self.files(in: directory)
            #expect(files.count == 5)
            let numbers = try files.flatMap { file in
                let recording = try RecordingReader.readBlocking(file: file, venue: "kraken")
                return recording.frames.compactMap { Int(String(decoding: recording.text(of: $0), as: UTF8.self)) }
            }
            #expect(numbers.sorted() == Array(0..<50))
        }
    }

    @Test func `what the disk cannot take in time is left out, and the rest is whole`() async throws {
        try await self.withDirectory { directory in
            var limits = FrameRecorder.Limits()
            limits.pendingBytes = 4000
            let recorder = try FrameRecorder(
                directory: directory.path, venue: "kraken", limits: limits, logger: Self.logger)
            for number in 0..<10_000 { self.record("frame \(number)", .received, recorder) }
            await recorder.close()
            let file = try #require(try self.files(in: directory).first)
            let recording = try RecordingReader.readBlocking(file: file, venue: "kraken")
            #expect(!recording.frames.isEmpty && recording.frames.count <= 10_000)
        }
    }

    @Test func `a directory that cannot be made is refused by name`() {
        let error = #expect(throws: ConnectorError.self) {
            try FrameRecorder(directory: "/dev/null/here", venue: "kraken", logger: Self.logger)
        }
        #expect(error?.message.contains("/dev/null/here") == true)
    }
}
