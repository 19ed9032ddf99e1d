import Foundation
import Tidings
import TidingsMarkets
import TidingsSimulation

/// Frames of a venue in memory, and the answers to what its session asks for over HTTP meanwhile.
struct FeedInput: Sendable {
    struct Frame: Sendable {
        /// Nanoseconds since 1970.
        var time: Int64
        /// Where it stands in ``FeedInput/bytes``.
        var text: Range<Int>
    }

    /// An order book as the venue answered; there from a frame on.
    struct Snapshot: Sendable {
        var instrument: Int
        /// The frame before which it came.
        var position: Int
        var body: [UInt8]
    }

    let venue: any Venue
    private(set) var instruments: [TidingsMarkets.Instrument] = []
    private(set) var frames: [Frame] = []
    private(set) var bytes: [UInt8] = []
    /// By position.
    private(set) var snapshots: [Snapshot] = []

    var plan: FeedPlan {
        FeedPlan(instruments: self.instruments, channels: MarketChannel.allCases)
    }

    /// What does not spoil a measurement: trade numbers of recordings have holes.
    static func isExpected(_ problem: VenueOutput.Problem) -> Bool {
        problem.code == "SEQUENCE_GAP" && problem.message.contains("trade")
    }

    // MARK: Recordings

    /// The venue that the first line of a recording names.
    static func venueName(of file: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw CommandError("--recording: \(file) cannot be read")
        }
        defer { try? handle.close() }
        let start = try handle.read(upToCount: 4096) ?? Data()
        let line = start.prefix { $0 != UInt8(ascii: "\n") }
        guard let header = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
            let venue = header["venue"] as? String
        else { throw CommandError("--recording: \(file): its first line does not name a venue") }
        return try Venues.named(venue).name
    }

    init(recording file: String, of name: String) throws {
        self.venue = try Venues.named(name)
        let recording = try RecordingReader.readBlocking(file: file, venue: name)
        var symbols: [String] = []
        var firstUpdates: [String: UInt64] = [:]
        for frame in recording.frames where frame.kind == .received {
            let start = self.bytes.count
            self.bytes += recording.bytes[frame.text]
            self.frames.append(Frame(time: frame.time, text: start..<self.bytes.count))
            let text = String(decoding: recording.bytes[frame.text], as: UTF8.self)
            guard let object = try? JSONObject(json: text) else { continue }
            Self.collect(.object(object), &symbols, &firstUpdates)
        }
        self.instruments = symbols.compactMap { self.venue.instrument(named: $0) }
        guard !self.instruments.isEmpty else { throw CommandError("--recording: \(file): no symbol is in it") }
        var position = 0
        for frame in recording.frames {
            if frame.kind == .received { position += 1 }
            guard frame.kind == .response, let symbol = frame.url?.components(separatedBy: "symbol=").last,
                let index = self.instruments.firstIndex(where: { $0.venueSymbol == symbol.prefix { $0 != "&" } })
            else { continue }
            self.snapshots.append(
                Snapshot(instrument: index, position: position, body: recording.text(of: frame)))
        }
        // Where the recording has none, an empty book one before the first update stands for it.
        for (index, instrument) in self.instruments.enumerated() {
            guard let first = firstUpdates[instrument.venueSymbol],
                !self.snapshots.contains(where: { $0.instrument == index })
            else { continue }
            let body = #"{"lastUpdateId":\#(first &- 1),"bids":[],"asks":[]}"#
            self.snapshots.insert(Snapshot(instrument: index, position: 0, body: Array(body.utf8)), at: 0)
        }
    }

    /// Notes the symbols that a frame names, and the numbers of Binance's first updates.
    private static func collect(_ value: JSONValue, _ symbols: inout [String], _ firstUpdates: inout [String: UInt64]) {
        switch value {
        case .object(let object):
            for (key, value) in object.members {
                if case .string(let text) = value, ["s", "coin", "product_id", "symbol"].contains(key) {
                    if !symbols.contains(text) { symbols.append(text) }
                    if firstUpdates[text] == nil, let first = object["U"]?.int, let number = UInt64(exactly: first) {
                        firstUpdates[text] = number
                    }
                }
                Self.collect(value, &symbols, &firstUpdates)
            }
        case .array(let array):
            for value in array.prefix(4) { Self.collect(value, &symbols, &firstUpdates) }
        default: break
        }
    }

    // MARK: Generated

    /// Without any frames yet.
    init(_ venue: any Venue, _ instruments: [TidingsMarkets.Instrument]) {
        self.venue = venue
        self.instruments = instruments
    }

    mutating func append(_ frame: [UInt8], at time: Timestamp) {
        let start = self.bytes.count
        self.bytes += frame
        self.frames.append(Frame(time: time.nanoseconds, text: start..<self.bytes.count))
    }

    mutating func keep(_ snapshot: Snapshot) {
        self.snapshots.append(snapshot)
    }

    /// Writes the frames as a recording, for a reference in another program; returns the file's path.
    func writeRecording() throws -> String {
        let count = self.frames.count
        var text = #"{"recording":1,"venue":"\#(self.venue.name)","frames":\#(count + self.snapshots.count)}"# + "\n"
        func line(_ kind: String, _ time: Int64, url: String?, _ body: some Collection<UInt8>) -> String {
            var line = JSONObject()
            line = line.setting("t", to: .string("\(ExactDecimal(mantissa: time, scale: 9))"))
            line = line.setting("kind", to: .string(kind))
            if let url { line = line.setting("url", to: .string(url)) }
            return line.setting("text", to: .string(String(decoding: body, as: UTF8.self))).description + "\n"
        }
        let start = self.frames.first?.time ?? 0
        for snapshot in self.snapshots {
            let url = "\(self.venue.rest)/?symbol=\(self.instruments[snapshot.instrument].venueSymbol)"
            text += line("response", start, url: url, snapshot.body)
        }
        for frame in self.frames { text += line("received", frame.time, url: nil, self.bytes[frame.text]) }
        let file = NSTemporaryDirectory() + "tidings-feed-\(UUID().uuidString).jsonl"
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }
}
