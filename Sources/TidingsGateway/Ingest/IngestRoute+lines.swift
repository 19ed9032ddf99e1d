import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// NDJSON, read while it comes and published while it is read, in bounded memory however long it is.
extension IngestRoute {
    func postLines(_ body: BodyReader, listsEvents: Bool) async throws -> Response {
        let pipe = IngestPipe()
        // The publisher ends because the reader always ends the pipe, and is waited for here.
        async let published = self.publishLines(from: pipe, listsEvents: listsEvents)
        let problem: (place: Int, problem: Problem)?
        do {
            problem = try await self.readLines(body, into: pipe)
        } catch {
            pipe.end()
            _ = await published
            throw error
        }
        pipe.end()
        var report = await published
        if let problem { report.giveUp(at: problem.place, problem.problem) }
        var response = report.response
        // The rest of the body is thrown away, so the connection cannot be used again.
        if report.hasEnded { response.headers[.connection] = "close" }
        return response
    }

    /// Reads until the end, or until nothing more is taken; returns what is wrong with the body itself.
    private func readLines(
        _ body: BodyReader, into pipe: IngestPipe
    ) async throws -> (place: Int, problem: Problem)? {
        var body = body
        var splitter = LineSplitter(limit: self.limits.eventBytes)
        do {
            // What the lines at hand came from; a long one comes in many parts.
            var bytesRead = 0
            while let part = try await body.next() {
                bytesRead += part.readableBytes
                var parsed: [ParsedEvent] = []
                part.withUnsafeReadableBytes { bytes in
                    splitter.feed(bytes) { parsed.append(self.parse($0, number: $1)) }
                }
                if parsed.isEmpty { continue }
                guard await pipe.offer(parsed, bytes: bytesRead) else { return nil }
                bytesRead = 0
            }
        } catch let problem as Problem {
            return (splitter.number, problem)
        }
        var last: [ParsedEvent] = []
        splitter.finish { last.append(self.parse($0, number: $1)) }
        if !last.isEmpty { _ = await pipe.offer(last, bytes: 0) }
        return nil
    }

    private func publishLines(from pipe: IngestPipe, listsEvents: Bool) async -> IngestReport {
        var report = IngestReport(placeName: "line", listsEvents: listsEvents)
        while !report.hasEnded, let parsed = await pipe.take() {
            let events = parsed.events
            report.note(parsed, events.isEmpty ? IngestRun() : await self.publishPaced(events))
        }
        pipe.close()
        return report
    }

    /// A sender that is too fast is read more slowly rather than sent away, as long as something goes on.
    private func publishPaced(_ events: [StandardEvent]) async -> IngestRun {
        var run = await self.ingest.publish(events, from: self.caller)
        while let stop = run.stop, stop.code == "rate_limit", run.outcomes.count < events.count {
            let pause = self.ingest.rates.delay(for: min(events.count - run.outcomes.count, 64), of: self.caller.sender)
            guard pause <= self.ingest.patience, (try? await Task.sleep(for: pause)) != nil else { break }
            let more = await self.ingest.publish(Array(events[run.outcomes.count...]), from: self.caller)
            run.outcomes += more.outcomes
            run.stop = more.stop
        }
        return run
    }

    private func parse(_ line: LineSplitter.Line, number: Int) -> ParsedEvent {
        guard case .text(let bytes) = line else {
            let message = "the line is longer than \(self.limits.eventBytes) bytes"
            return ParsedEvent(place: number, event: .failure(EventDecodingError(.tooLarge, message: message)))
        }
        do throws(EventDecodingError) {
            return ParsedEvent(place: number, event: .success(try StandardEvent(json: bytes, defaults: self.defaults)))
        } catch {
            return ParsedEvent(place: number, event: .failure(error))
        }
    }
}
