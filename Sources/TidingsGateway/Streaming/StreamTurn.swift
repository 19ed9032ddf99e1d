import NIOCore
import Tidings

/// The events that one event loop sends to its clients in one go, and their frames, joined in one buffer.
///
/// Made and used on one event loop. Each format is rendered at most once; whoever gets a consecutive run of events gets
/// a slice of it, without copying. Of a format that costs time only what somebody wants is rendered.
final class StreamTurn {
    private struct Place {
        let batch: Int32
        let index: Int32
    }

    private struct Rendered {
        let frames: ByteBuffer
        /// Where each event's frame ends.
        let ends: [Int]
    }

    private let batches: [CommittedBatch]
    private var places: [Place] = []
    private var rendered: [FrameFormat: Rendered] = [:]
    private var single: [FrameFormat: Singles] = [:]
    private let compressor: FrameCompressor

    /// Frames that were made one by one.
    private struct Singles {
        var frames = ByteBuffer()
        /// Where each event's frame stands, if it was made.
        var places: [Range<Int>?]
    }

    /// - Parameter batches: consecutive ones.
    init(_ batches: [CommittedBatch], _ compressor: FrameCompressor) {
        self.batches = batches
        self.compressor = compressor
        self.places.reserveCapacity(batches.reduce(0) { $0 + $1.count })
        for (number, batch) in batches.enumerated() {
            for index in batch.selection.indices {
                self.places.append(Place(batch: Int32(number), index: Int32(index)))
            }
        }
    }

    var count: Int { self.places.count }
    var lastOffset: Int64 { self.batches.last?.lastOffset ?? 0 }

    /// When the first of the events was published, on our monotonic clock, where that is known.
    var publishedAt: Int64? { self.batches.first?.selection.batch.queuedAt }

    @inline(__always)
    func event(_ number: Int) -> StandardEvent {
        let place = self.places[number]
        return self.batches[Int(place.batch)].selection.batch.events[Int(place.index)]
    }

    /// Offsets are gapless, so the first tells all.
    @inline(__always)
    func offset(_ number: Int) -> Int64 {
        (self.batches.first?.firstOffset ?? 1) + Int64(number)
    }

    /// The frames of some events, one after the other.
    func frames(_ runs: [Range<Int>], _ format: FrameFormat) -> ByteBuffer {
        if format.isCostly { return self.singleFrames(runs.joined(), format) }
        let rendered = self.rendered(format)
        if runs.count == 1, let run = runs.first { return Self.slice(run, of: rendered) }
        let ranges = runs.map { Self.bytes($0, of: rendered) }
        var joined = ByteBufferAllocator().buffer(capacity: ranges.reduce(0) { $0 + $1.count })
        rendered.frames.withUnsafeReadableBytes { bytes in
            for range in ranges { joined.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range])) }
        }
        return joined
    }

    /// The frame of one event in memory of its own, so that keeping it keeps nothing else.
    func ownFrame(_ number: Int, _ format: FrameFormat) -> ByteBuffer {
        if format.isCostly { return self.singleFrames(CollectionOfOne(number), format) }
        let rendered = self.rendered(format)
        let range = Self.bytes(number..<number + 1, of: rendered)
        return rendered.frames.withUnsafeReadableBytes { bytes in
            ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    private static func bytes(_ run: Range<Int>, of rendered: Rendered) -> Range<Int> {
        (run.lowerBound == 0 ? 0 : rendered.ends[run.lowerBound - 1])..<rendered.ends[run.upperBound - 1]
    }

    private static func slice(_ run: Range<Int>, of rendered: Rendered) -> ByteBuffer {
        let range = self.bytes(run, of: rendered)
        return rendered.frames.getSlice(at: rendered.frames.readerIndex + range.lowerBound, length: range.count)
            ?? ByteBuffer()
    }

    private func rendered(_ format: FrameFormat) -> Rendered {
        if let known = self.rendered[format] { return known }
        var frames = ByteBufferAllocator().buffer(capacity: self.places.count * 448)
        var ends: [Int] = []
        ends.reserveCapacity(self.places.count)
        for (number, place) in self.places.enumerated() {
            let offset = self.offset(number)
            self.batches[Int(place.batch)].selection.batch.json.withJSON(at: Int(place.index)) { json in
                format.write(offset: offset, json: json, into: &frames, self.compressor)
            }
            ends.append(frames.readableBytes)
        }
        let rendered = Rendered(frames: frames, ends: ends)
        self.rendered[format] = rendered
        return rendered
    }

    /// The frames of some events, in a buffer of their own; each is made once for all who want it.
    private func singleFrames(_ numbers: some Sequence<Int>, _ format: FrameFormat) -> ByteBuffer {
        var singles =
            self.single.removeValue(forKey: format) ?? Singles(places: Array(repeating: nil, count: self.count))
        var joined = ByteBuffer()
        for number in numbers {
            let range = singles.places[number] ?? self.makeFrame(number, format, in: &singles)
            singles.frames.withUnsafeReadableBytes { bytes in
                _ = joined.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
        }
        self.single[format] = singles
        return joined
    }

    private func makeFrame(_ number: Int, _ format: FrameFormat, in singles: inout Singles) -> Range<Int> {
        let (place, start) = (self.places[number], singles.frames.readableBytes)
        self.batches[Int(place.batch)].selection.batch.json.withJSON(at: Int(place.index)) { json in
            format.write(offset: self.offset(number), json: json, into: &singles.frames, self.compressor)
        }
        let range = start..<singles.frames.readableBytes
        singles.places[number] = range
        return range
    }
}
