import Foundation
import Tidings
import TidingsMarkets
import TidingsSimulation

extension FeedInput {
    /// The most symbols of a generated market that are collected.
    private static let generatedSymbols = 4

    /// Frames of a generated market, as the simulator of the venue sends them to one who subscribes to everything; what the
    /// session asks for over HTTP is answered from the market's book at that point.
    init(generated count: Int, of name: String) throws {
        let venue = try Venues.named(name)
        let symbols = try Self.symbols(of: name)
        self.init(venue, symbols.compactMap { venue.instrument(named: $0) })
        var session = venue.makeSession(self.plan)
        var market = try GeneratedClient(name, symbols: symbols)
        var output = VenueOutput()
        session.opened(0, at: market.now, into: &output)
        while self.frames.count < count {
            let first = self.frames.count
            let (messages, requests) = (output.outgoing.map(\.text), output.requests)
            output.removeAll()
            if messages.isEmpty, requests.isEmpty {
                guard market.advance({ self.append($0, at: $1) }) else { break }
            }
            for message in messages { market.answer(message) { self.append($0, at: $1) } }
            for request in requests {
                guard case .book(let index) = request.purpose else { continue }
                let body = market.respond(to: request)
                self.keep(Snapshot(instrument: index, position: first, body: body))
                session.receive(.body(body), to: request, at: market.now, into: &output)
            }
            self.bytes.withUnsafeBytes { bytes in
                for frame in self.frames[first...] {
                    session.receive(
                        UnsafeRawBufferPointer(rebasing: bytes[frame.text]), on: 0, at: market.now, into: &output)
                }
            }
        }
    }

    private static func symbols(of name: String) throws -> [String] {
        Array(try SimulatedVenues.named(name).instruments.prefix(Self.generatedSymbols).map(\.symbol))
    }
}

/// One client of a generated market, without a network.
private struct GeneratedClient {
    private static let start: Int64 = 1_700_000_000_000

    private let venue: any SimulatedVenue
    private let symbols: [String]
    private var source: GeneratedSource
    private var client = SimulatedClient()
    private(set) var now = Timestamp(nanoseconds: Self.start * 1_000_000, precision: .nanoseconds)

    init(_ name: String, symbols: [String]) throws {
        let venue = try SimulatedVenues.named(name)
        self.venue = venue
        self.symbols = symbols
        self.source = GeneratedSource(
            GeneratedMarket(instruments: venue.instruments, seed: 1, start: Self.start), venue: venue)
        // Where a connector connects decides how a venue sends.
        self.client.path = URLComponents(string: try Venues.named(name).endpoint)?.path ?? "/"
        venue.open(&self.client)
    }

    /// Goes on by one step of the market; `false` when there is none.
    mutating func advance(_ emit: ([UInt8], Timestamp) -> Void) -> Bool {
        guard let offset = self.source.nextOffset else { return false }
        let now = Timestamp(nanoseconds: Self.start * 1_000_000 + offset, precision: .nanoseconds)
        self.now = now
        self.source.advance { emit(Array($0), now) }
        return true
    }

    /// Answers what the session sends, as the simulator does.
    mutating func answer(_ message: String, _ emit: ([UInt8], Timestamp) -> Void) {
        var client = self.client
        let replies = message.withRawUTF8 { bytes in
            self.venue.answer(bytes, client: &client) { self.symbols.contains($0) }
        }
        self.client = client
        self.source.select(client)
        let now = self.now
        for reply in replies {
            switch reply {
            case .frame(let frame), .acknowledgements(_, let frame): emit(frame, now)
            case .acknowledgement(let topic, let made):
                emit(made, now)
                self.source.begin(topic) { emit(Array($0), now) }
            case .begin(let topic): self.source.begin(topic) { emit(Array($0), now) }
            }
        }
    }

    func respond(to request: TidingsMarkets.VenueRequest) -> [UInt8] {
        self.venue.respond(
            to: TidingsSimulation.VenueRequest(
                method: request.method.rawValue, uri: request.target, body: Array(request.body.utf8)),
            from: self.source.snapshot
        ).body
    }
}
