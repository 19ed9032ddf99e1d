import NIOCore
import Tidings

/// Bytes on their way from an event loop to the task that writes one SSE response. Bounded by whoever puts them in, who
/// stops when it is no longer writable.
final class SSEQueue: Sendable {
    private struct State: ~Copyable {
        var chunks: [ByteBuffer] = []
        var byteCount = 0
        var isFinished = false
        var writer: CheckedContinuation<[ByteBuffer], Never>?
    }

    private let state = Locked(State())
    private static let highWaterMark = 64 << 10

    var byteCount: Int { self.state.withLock { $0.byteCount } }
    var isWritable: Bool { self.byteCount < Self.highWaterMark }

    func append(_ chunk: ByteBuffer) {
        let woken = self.state.withLock { state -> (CheckedContinuation<[ByteBuffer], Never>, [ByteBuffer])? in
            guard !state.isFinished else { return nil }
            if let writer = state.writer {
                state.writer = nil
                return (writer, [chunk])
            }
            state.chunks.append(chunk)
            state.byteCount += chunk.readableBytes
            return nil
        }
        if let (writer, chunks) = woken { writer.resume(returning: chunks) }
    }

    /// No more will come; what is there can still be taken.
    func finish() {
        let writer = self.state.withLock { state -> CheckedContinuation<[ByteBuffer], Never>? in
            state.isFinished = true
            let writer = state.writer
            state.writer = nil
            return writer
        }
        writer?.resume(returning: [])
    }

    /// Everything there is, waiting for something; empty at the end.
    func next() async -> [ByteBuffer] {
        await withCheckedContinuation { continuation in
            let chunks = self.state.withLock { state -> [ByteBuffer]? in
                if state.chunks.isEmpty && !state.isFinished {
                    state.writer = continuation
                    return nil
                }
                let chunks = state.chunks
                state.chunks = []
                state.byteCount = 0
                return chunks
            }
            if let chunks { continuation.resume(returning: chunks) }
        }
    }
}
