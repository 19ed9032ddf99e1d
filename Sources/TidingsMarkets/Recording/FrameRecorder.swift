import Dispatch
import Foundation
import Logging
import Tidings

/// Writes what goes over a venue's sockets to files, as it was on the wire: one JSON object a line, which
/// `tidings simulate --recording` plays.
///
/// The first line is `{"recording":1,"venue":"..."}`; every other one has `t` (seconds since 1970, UTC), `kind` (`connect`,
/// `sent`, `received`, `response`), `url` of a connection or a request, and `text`. A file is followed by the next one when
/// it is large or old. Recording never holds the feed up: what the disk does not take in time is left out, counted and
/// logged. Safe to use from any thread; lines stand in the order of the calls.
final class FrameRecorder: Sendable {
    enum Kind: String, Sendable {
        case connect
        case sent
        case received
        case response
    }

    struct Limits: Sendable {
        /// A file that has reached this is followed by another.
        var fileBytes = 256 << 20
        /// So is one that is this old.
        var fileAge = Duration.seconds(3600)
        /// So much may wait for the disk.
        var pendingBytes = 16 << 20

        init() {}
    }

    private struct State: ~Copyable {
        var pending = JSONWriter(capacity: 1 << 16)
        var isScheduled = false
        var isClosed = false
        /// Frames left out since the last report.
        var lost = 0
    }

    private let directory: URL
    private let venue: String
    private let limits: Limits
    private let logger: Logger
    private let state = Locked(State())
    /// The one thread that writes. What is only touched there follows.
    private let queue = DispatchQueue(label: "tidings.recorder")
    private let file: Locked<RecordingFile?>

    /// - Throws: `invalidConfiguration` when the directory cannot be made or written to.
    init(
        directory: String, venue: String, limits: Limits = Limits(), logger: Logger
    ) throws(ConnectorError) {
        let url = URL(fileURLWithPath: directory, isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw ConnectorError(
                .invalidConfiguration, "record: '\(directory)' cannot be made: \(error.localizedDescription)")
        }
        guard FileManager.default.isWritableFile(atPath: url.path) else {
            throw ConnectorError(.invalidConfiguration, "record: '\(directory)' cannot be written to")
        }
        self.directory = url
        self.venue = venue
        self.limits = limits
        self.logger = logger
        self.file = Locked(nil)
    }

    /// Notes a frame. Never waits.
    func record(_ kind: Kind, _ text: UnsafeRawBufferPointer, url: String?, at time: Timestamp) {
        let (isFirst, isLost) = self.state.withLock { state in
            if state.isClosed { return (false, false) }
            guard state.pending.count + text.count < self.limits.pendingBytes else {
                state.lost += 1
                return (false, state.lost == 1)
            }
            Self.write(kind, text, url, time, into: &state.pending)
            defer { state.isScheduled = true }
            return (!state.isScheduled, false)
        }
        if isFirst { self.queue.async { self.drain() } }
        if isLost {
            self.logger.notice(
                "The disk is too slow to record every frame", metadata: [LogKey.file: "\(self.directory.path)"])
        }
    }

    private static func write(
        _ kind: Kind, _ text: UnsafeRawBufferPointer, _ url: String?, _ time: Timestamp, into writer: inout JSONWriter
    ) {
        writer.literal("{\"t\":\"")
        writer.write(mantissa: time.nanoseconds, scale: 9)
        writer.literal("\",\"kind\":\"")
        writer.write(unescaped: kind.rawValue)
        writer.literal("\"")
        if let url {
            writer.literal(",\"url\":")
            writer.write(string: url)
        }
        if kind != .connect {
            writer.literal(",\"text\":")
            writer.write(string: text)
        }
        writer.literal("}\n")
    }

    /// Writes what waits, and returns when it is in the file. Frames that come later are left out.
    func close() async {
        self.state.withLock { $0.isClosed = true }
        await withCheckedContinuation { continuation in
            self.queue.async {
                self.drain()
                self.file.withLock { file in
                    file?.close()
                    file = nil
                }
                continuation.resume()
            }
        }
    }

    // MARK: On the queue

    private func drain() {
        let (bytes, lost) = self.state.withLock { state in
            let bytes = state.pending.array()
            state.pending.reset()
            state.isScheduled = false
            defer { state.lost = 0 }
            return (bytes, state.lost)
        }
        if lost > 0 { self.logger.notice("Frames were not recorded", metadata: [LogKey.dropped: "\(lost)"]) }
        if bytes.isEmpty { return }
        let problem = self.file.withLock { file -> String? in
            if let current = file, current.isFull(self.limits) {
                current.close()
                file = nil
            }
            do {
                if file == nil { file = try RecordingFile(in: self.directory, venue: self.venue) }
                try file?.append(bytes)
                return nil
            } catch {
                file?.close()
                file = nil
                return "\(error)"
            }
        }
        if let problem {
            self.logger.notice(
                "Frames were not recorded",
                metadata: [LogKey.error: "\(problem)", LogKey.file: "\(self.directory.path)"])
        }
    }
}
