import Dispatch
import Foundation
import Logging
import Tidings

/// Writes what goes over a venue's sockets to files, as it was on the wire: one JSON object a line, which
/// `tidings simulate --recording` plays.
///
/// The first line is `{"recording":1,"venue":"..."}`; every other one has `t` (seconds since 1970, UTC), `kind` (`connect`,
/// `sent`, `received`, `response`), `url` of a connection or a request, and `text`. A file is followed by the next one when
/// it is large or old; that one begins in the middle of the session. Recording never holds the feed up: what the disk does
/// not take is left out, counted and logged, and a disk that fails is tried again later. Safe to use from any thread; lines
/// stand in the order of the calls.
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
        var pendingBytes = 32 << 20
        /// A disk that has failed is left alone for so long.
        var pauseAfterError = Duration.seconds(10)

        init() {}
    }

    private struct State: ~Copyable {
        var pending = JSONWriter(capacity: 1 << 16)
        var pendingFrames = 0
        /// Frames left out so far.
        var lost = 0
        var isScheduled = false
        var isClosed = false
    }

    /// What only the writing thread touches.
    private struct Disk {
        var file: RecordingFile?
        /// The last attempt to write has failed; nothing is written before.
        var pausedUntil: ContinuousClock.Instant?
        /// Of the lost frames so many have been told of.
        var reportedLost = 0
        var nextReport: ContinuousClock.Instant?
    }

    private static let reportInterval = Duration.seconds(10)

    private let directory: URL
    private let venue: String
    private let limits: Limits
    private let logger: Logger
    private let state = Locked(State())
    /// One block at a time: the writing thread.
    private let queue = DispatchQueue(label: "tidings.recorder")
    private let disk = Locked(Disk())

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
    }

    /// Frames that could not be recorded.
    var lostFrames: Int { self.state.withLock { $0.lost } }

    /// Notes a frame. Never waits for the disk.
    func record(_ kind: Kind, _ text: UnsafeRawBufferPointer, url: String?, at time: Timestamp) {
        if kind == .response { return self.record(response: text, url: url, at: time) }
        self.add(text.count) { Self.write(kind, text, url, time, into: &$0) }
    }

    /// Answers can be long, and nobody has looked whether they are UTF-8: the line is put together outside of the lock.
    private func record(response text: UnsafeRawBufferPointer, url: String?, at time: Timestamp) {
        var line = JSONWriter(capacity: text.count + 256)
        var repaired = String(decoding: text, as: UTF8.self)
        repaired.withUTF8 { Self.write(.response, UnsafeRawBufferPointer($0), url, time, into: &line) }
        line.withBytes { bytes in
            self.add(bytes.count) { $0.write(bytes: bytes) }
        }
    }

    private func add(_ count: Int, _ write: (inout JSONWriter) -> Void) {
        let isFirst = self.state.withLock { state in
            if state.isClosed { return false }
            guard state.pending.count + count < self.limits.pendingBytes else {
                state.lost += 1
                return false
            }
            write(&state.pending)
            state.pendingFrames += 1
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { self.queue.async { self.drain() } }
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

    /// Returns when what has been recorded so far is in the file, as far as the disk has taken it.
    func flush() async {
        await withCheckedContinuation { continuation in
            self.queue.async {
                self.drain()
                continuation.resume()
            }
        }
    }

    /// Writes what waits, and returns when it is in the file. Frames that come later are left out.
    func close() async {
        self.state.withLock { $0.isClosed = true }
        await self.flush()
        self.disk.withLock { disk in
            disk.file?.close()
            disk.file = nil
            self.report(&disk, isLast: true)
        }
    }

    // MARK: On the queue

    private func drain() {
        var bytes = JSONWriter(capacity: 1 << 16)
        let frames = self.state.withLock { state in
            swap(&bytes, &state.pending)
            defer { state.pendingFrames = 0 }
            state.isScheduled = false
            return state.pendingFrames
        }
        self.disk.withLock { disk in
            let isKept = frames == 0 || bytes.withBytes { self.append($0, to: &disk) }
            if !isKept {
                self.state.withLock { $0.lost += frames }
            }
            self.report(&disk, isLast: false)
        }
    }

    /// - Returns: whether the disk has taken it.
    private func append(_ bytes: UnsafeRawBufferPointer, to disk: inout Disk) -> Bool {
        if let until = disk.pausedUntil, ContinuousClock.now < until { return false }
        if let current = disk.file, current.isFull(self.limits) {
            current.close()
            disk.file = nil
        }
        do {
            if disk.file == nil { disk.file = try RecordingFile(in: self.directory, venue: self.venue) }
            try disk.file?.append(bytes)
            disk.pausedUntil = nil
            return true
        } catch {
            disk.file?.close()
            disk.file = nil
            if disk.pausedUntil == nil {
                self.logger.notice(
                    "Frames cannot be recorded",
                    metadata: [LogKey.error: "\(error)", LogKey.file: "\(self.directory.path)"])
            }
            disk.pausedUntil = .now + self.limits.pauseAfterError
            return false
        }
    }

    /// Tells of what was lost, now and then.
    private func report(_ disk: inout Disk, isLast: Bool) {
        let lost = self.lostFrames
        guard lost > disk.reportedLost else { return }
        if !isLast, let next = disk.nextReport, ContinuousClock.now < next { return }
        self.logger.notice(
            "Frames were not recorded",
            metadata: [LogKey.dropped: "\(lost - disk.reportedLost)", LogKey.file: "\(self.directory.path)"])
        disk.reportedLost = lost
        disk.nextReport = .now + Self.reportInterval
    }
}
