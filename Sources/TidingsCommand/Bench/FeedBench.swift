import Foundation
import Synchronization
import Tidings
import TidingsMarkets
import TidingsSimulation

/// `tidings bench feed`: a venue's frames parsed, normalised, its books maintained and the events published to a bus in
/// memory, on one core; beside cryptofeed's own handler on the same frames.
struct FeedBench: BenchSubject {
    let name: String
    /// Frames are generated where there is none.
    let recording: String?

    /// So many frames are generated.
    private static let generatedFrames = 20_000
    /// So many frames come with one read from a socket: what they make is published together.
    private static let framesPerRead = 64

    /// One for each exchange, or only the one that a recording is of.
    static func all(recording: String?) throws -> [any BenchSubject] {
        guard let recording else {
            return ["hyperliquid", "binance", "coinbase", "kraken"].map { FeedBench(name: $0, recording: nil) }
        }
        return [FeedBench(name: try FeedInput.venueName(of: recording), recording: recording)]
    }

    func measure(within budget: Duration) async throws -> BenchFigure {
        let input =
            if let recording {
                try FeedInput(recording: recording, of: self.name)
            } else {
                try FeedInput(generated: Self.generatedFrames, of: self.name)
            }
        let cryptofeed = Cryptofeed.found()
        let file = try cryptofeed == nil ? nil : self.recording ?? input.writeRecording()
        defer { if let file, file != self.recording { try? FileManager.default.removeItem(atPath: file) } }
        let expected = try Self.play(input)
        let bench = RateBench(
            name: self.name, unit: "frames/s", reference: Cryptofeed.name(cryptofeed, venue: self.name),
            work: { amount in
                var done = 0
                while done < amount {
                    let events = try Self.play(input)
                    precondition(events == expected, "the same frames made other events")
                    done += input.frames.count
                }
                return done
            },
            referenceWork: { $0 },
            referenceRate: { time in
                guard let cryptofeed, let file else { return 0 }
                return try cryptofeed.rate(recording: file, time)
            })
        return try await bench.measure(within: budget)
    }

    /// Plays all frames through a new session; returns how many events were published.
    private static func play(_ input: FeedInput) throws -> Int {
        let bus = MemoryEventBus()
        let count = Counter()
        try bus.addTap(to: .all, name: "bench") { event in count.add(event) }
        var player = FeedPlayer(input)
        var output = VenueOutput()
        func publish() throws {
            for batch in EventBatch.batches(of: output.events) { try bus.tryPublish(batch) }
            if let problem = output.problems.first, !FeedInput.isExpected(problem) {
                throw CommandError("\(input.venue.name): \(problem.code): \(problem.message)")
            }
            output.removeAll()
        }
        player.open(into: &output)
        try input.bytes.withUnsafeBytes { bytes in
            for index in input.frames.indices {
                player.receive(index, of: bytes, into: &output)
                if (index + 1) % Self.framesPerRead == 0 { try publish() }
            }
        }
        try publish()
        return count.value
    }
}
