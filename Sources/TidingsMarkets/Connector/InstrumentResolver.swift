import Logging
import Tidings

/// Finds out which instruments the names in a configuration are, by the venue's own list.
///
/// Where the list cannot be had, names that leave no doubt are taken for what they must be; for others it is asked for
/// again, with patience.
struct InstrumentResolver: Sendable {
    enum Outcome: Sendable {
        case instruments([Instrument])
        /// There is nothing to collect, and why.
        case nothing(String)
        case cancelled
    }

    private enum Answer: Sendable {
        case list([Instrument])
        case failure(String)
    }

    /// How long the list is waited for.
    private static let patience = Duration.seconds(5)

    let venue: any Venue
    let names: [String]
    let http: VenueHTTP
    let rest: String
    let feed: Feed
    let recorder: FrameRecorder?
    let logger: Logger

    func resolve() async -> Outcome {
        var backoff = Backoff()
        while true {
            let answer = await self.fetch()
            if Task.isCancelled { return .cancelled }
            switch answer {
            case .list(let list): return await self.resolved(by: list)
            case .failure(let reason):
                let guess = SymbolResolution(self.names, withoutListOf: self.venue)
                if guess.unknown.isEmpty {
                    self.logger.notice(
                        "The list of instruments cannot be had, symbols are taken by their spelling",
                        metadata: [LogKey.reason: "\(reason)"])
                    return .instruments(guess.instruments)
                }
                let delay = backoff.nextDelay(chance: .random(in: 0..<1))
                let attempt = backoff.attempt
                await self.feed.perform { machine in
                    machine.note(
                        .reconnecting, reason: "the list of instruments cannot be had: \(reason)", attempt: attempt,
                        retryIn: delay)
                }
                do {
                    try await Task.sleep(for: delay)
                } catch {
                    return .cancelled
                }
            }
        }
    }

    private func resolved(by list: [Instrument]) async -> Outcome {
        let resolution = SymbolResolution(self.names, of: self.venue, in: list)
        let name = self.venue.name
        await self.feed.perform { machine in
            for symbol in resolution.unknown {
                machine.report(
                    VenueOutput.Problem(
                        code: "UNKNOWN_SYMBOL", message: "'\(symbol)' is no symbol of \(name)",
                        details: ["symbol": .string(symbol)]))
            }
        }
        guard !resolution.instruments.isEmpty else {
            return .nothing("\(name) has none of \(self.names.joined(separator: ", "))")
        }
        return .instruments(resolution.instruments)
    }

    private func fetch() async -> Answer {
        let request = self.venue.instrumentsRequest
        let answer = await withTaskGroup(of: VenueAnswer?.self) { group in
            group.addTask { await self.http.answer(to: request) }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        switch answer {
        case nil: return .failure("no answer within \(Self.patience)")
        case .failure(let status, let reason): return .failure(status.map { "HTTP \($0): \(reason)" } ?? reason)
        case .body(let bytes): return self.read(bytes, of: request)
        }
    }

    private func read(_ bytes: [UInt8], of request: VenueRequest) -> Answer {
        bytes.withUnsafeBytes { bytes in
            self.recorder?.record(.response, bytes, url: self.rest + request.target, at: .now())
            do throws(VenueError) {
                let list = try self.venue.instruments(from: bytes)
                return list.isEmpty ? .failure("the list is empty") : .list(list)
            } catch {
                return .failure(error.message)
            }
        }
    }
}
