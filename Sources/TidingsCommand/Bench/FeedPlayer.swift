import Tidings
import TidingsMarkets

/// Plays the frames of an input through a session of its own, as fast as it goes, and answers its requests.
struct FeedPlayer {
    private let input: FeedInput
    private var session: any VenueSession
    /// The newest snapshot of each instrument so far, as an index.
    private var available: [Int?]
    private var nextSnapshot = 0
    /// Requests for books that have not been answered in the recording yet.
    private var open: [VenueRequest] = []

    init(_ input: FeedInput) {
        self.input = input
        self.session = input.venue.makeSession(input.plan)
        self.available = Array(repeating: nil, count: input.instruments.count)
    }

    mutating func open(into output: inout VenueOutput) {
        self.session.opened(0, at: self.time(0), into: &output)
        self.settle(0, into: &output)
    }

    @inline(__always)
    mutating func receive(_ index: Int, of bytes: UnsafeRawBufferPointer, into output: inout VenueOutput) {
        if self.nextSnapshot < self.input.snapshots.count, self.input.snapshots[self.nextSnapshot].position <= index {
            self.settle(index, into: &output)
        }
        let frame = self.input.frames[index]
        self.session.receive(
            UnsafeRawBufferPointer(rebasing: bytes[frame.text]), on: 0,
            at: Timestamp(nanoseconds: frame.time, precision: .nanoseconds), into: &output)
        if !output.requests.isEmpty { self.settle(index, into: &output) }
    }

    private func time(_ index: Int) -> Timestamp {
        let time = index < self.input.frames.count ? self.input.frames[index].time : 0
        return Timestamp(nanoseconds: time, precision: .nanoseconds)
    }

    /// Answers what can be answered at this point.
    private mutating func settle(_ index: Int, into output: inout VenueOutput) {
        while self.nextSnapshot < self.input.snapshots.count,
            self.input.snapshots[self.nextSnapshot].position <= index
        {
            self.available[self.input.snapshots[self.nextSnapshot].instrument] = self.nextSnapshot
            self.nextSnapshot += 1
        }
        let requests = self.open + output.requests
        self.open = []
        output.requests.removeAll(keepingCapacity: true)
        for request in requests {
            guard case .book(let instrument) = request.purpose else {
                self.session.receive(
                    .failure(status: 404, reason: "not recorded"), to: request, at: self.time(index), into: &output)
                continue
            }
            guard let snapshot = self.available[instrument] else {
                self.open.append(request)
                continue
            }
            self.session.receive(
                .body(self.input.snapshots[snapshot].body), to: request, at: self.time(index), into: &output)
        }
    }
}
