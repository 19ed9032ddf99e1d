import Foundation
import TidingsSimulation

@testable import Tidings
@testable import TidingsMarkets

/// Plays a recording through a venue's session, as the driver would have done at that time: frames when they came, time in
/// tenths of a second, answers to the requests that the session makes.
struct RecordedPlay {
    let recording: TidingsSimulation.Recording
    let instruments: [TidingsMarkets.Instrument]
    private(set) var session: any VenueSession
    private(set) var events: [StandardEvent] = []
    private(set) var problems: [VenueOutput.Problem] = []
    private(set) var notices: [VenueOutput.Notice] = []
    private(set) var replacements: [VenueOutput.Replacement] = []
    private(set) var requests: [TidingsMarkets.VenueRequest] = []
    /// Requests whose answer has not been recorded yet.
    private var open: [TidingsMarkets.VenueRequest] = []
    /// Where the answer to a request for the book of a symbol is, and the frames at which there is one.
    private var snapshots: [String: [Int]] = [:]
    private var position = 0

    init(
        _ recording: TidingsSimulation.Recording, venue: any Venue, instruments: [TidingsMarkets.Instrument],
        book: BookPlan = BookPlan()
    ) {
        self.recording = recording
        self.instruments = instruments
        let plan = FeedPlan(
            instruments: instruments, channels: [.trade, .ticker, .orderBook, .ohlcv], book: book)
        self.session = venue.makeSession(plan)
        for (index, frame) in recording.frames.enumerated() where frame.kind == .response {
            guard let query = frame.url?.components(separatedBy: "symbol=").last else { continue }
            let symbol = query.prefix { $0 != "&" }
            self.snapshots[String(symbol), default: []].append(index)
        }
    }

    mutating func run() {
        guard let first = self.recording.frames.first else { return }
        var now = first.time
        self.step(at: now) { $0.opened(0, at: $1, into: &$2) }
        for (index, frame) in self.recording.frames.enumerated() {
            self.position = index
            while now + 100_000_000 <= frame.time {
                now += 100_000_000
                self.step(at: now) { $0.tick(at: $1, into: &$2) }
            }
            switch frame.kind {
            case .received:
                let text = self.recording.text(of: frame)
                self.step(at: frame.time) { session, time, output in
                    text.withUnsafeBytes { session.receive($0, on: 0, at: time, into: &output) }
                }
            case .response: self.answer(at: frame.time)
            case .connect, .sent: break
            }
        }
    }

    private mutating func step(
        at time: Int64, _ body: (inout any VenueSession, Timestamp, inout VenueOutput) -> Void
    ) {
        var output = VenueOutput()
        body(&self.session, Timestamp(nanoseconds: time, precision: .nanoseconds), &output)
        self.events += output.events
        self.problems += output.problems
        self.notices += output.notices
        if let replacement = output.replacement { self.replacements.append(replacement) }
        self.requests += output.requests
        self.open += output.requests
        if !output.requests.isEmpty { self.answer(at: time) }
    }

    /// Answers what can be answered now.
    private mutating func answer(at time: Int64) {
        let open = self.open
        self.open = []
        for request in open {
            guard let answer = self.answer(to: request) else {
                self.open.append(request)
                continue
            }
            self.step(at: time) { $0.receive(answer, to: request, at: $1, into: &$2) }
        }
    }

    /// The recorded answer; for a book that was never asked for an empty one, whose number is one before the first update.
    private func answer(to request: TidingsMarkets.VenueRequest) -> VenueAnswer? {
        guard case .book(let index) = request.purpose else {
            return .failure(status: 404, reason: "not in the recording")
        }
        let symbol = self.instruments[index].venueSymbol
        if let places = self.snapshots[symbol] {
            guard let place = places.last(where: { $0 <= self.position }) else { return nil }
            return .body(self.recording.text(of: self.recording.frames[place]))
        }
        for frame in self.recording.frames where frame.kind == .received {
            let text = String(decoding: self.recording.text(of: frame), as: UTF8.self)
            guard text.contains(#""s":"\#(symbol)","U":"#),
                let number = text.components(separatedBy: #""U":"#).last?.prefix(while: \.isNumber),
                let first = UInt64(number)
            else { continue }
            return .body(Array(#"{"lastUpdateId":\#(first &- 1),"bids":[],"asks":[]}"#.utf8))
        }
        return .failure(status: 404, reason: "not in the recording")
    }
}
