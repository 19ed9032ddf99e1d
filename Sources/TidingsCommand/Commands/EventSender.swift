import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Tidings

/// Sends events to a server's HTTP interface and prints what became of each.
///
/// A server that is busy is asked again when it says so, and one that went away is asked again for some seconds: the
/// events have their ids already, so what it has got before it does not take twice.
struct EventSender: Sendable {
    let client: HTTPClient
    let server: ServerAddress
    let isJSON: Bool
    /// Whether there is only one event, so that naming its line would confuse.
    let isSingle: Bool
    /// The source of lines that name none.
    let defaultSource: String

    /// How often in a row a request that has got nowhere is repeated.
    private static let mostAttempts = 10
    /// How long to wait before a server that went away is asked again.
    private static let pauses: [Duration] = [200, 400, 800, 1600, 3200].map { .milliseconds($0) }
    private static let longestPause = Duration.seconds(60)

    /// Sends every line of standard input as it comes and returns how many were refused. While one group travels the next
    /// one is read.
    func sendStandardInput() async throws -> Int {
        let lines = EventLines(defaultSource: self.defaultSource)
        var refused = 0
        var isKnown = false
        var next = try await lines.next()
        while let group = next {
            async let following = lines.next()
            do {
                refused += try await self.send(group, hasAnswered: isKnown)
            } catch {
                // The next lines may never come, and nothing else ends their reading.
                PublishCommand.exit(withError: error)
            }
            isKnown = isKnown || !group.isEmpty
            next = try await following
        }
        return refused
    }

    /// Sends one event and returns how many were refused.
    func send(single line: [UInt8]) async throws -> Int {
        try await self.send(
            EventGroup([line], firstLine: 1, defaultSource: self.defaultSource), hasAnswered: false)
    }

    /// - Parameter hasAnswered: whether the server is known to be there, so that it is worth while to wait for it.
    private func send(_ group: EventGroup, hasAnswered: Bool) async throws -> Int {
        var group = group
        var refused = group.refused.count
        for (line, problem) in group.refused { self.tell(problem, line: line) }
        var attempts = 0
        var failures = 0
        while !group.isEmpty {
            let answer: Answer
            do {
                answer = try await self.post(group.body)
            } catch let failure as Unreachable {
                guard hasAnswered || failure.mayHaveArrived || failures > 0, failures < Self.pauses.count else {
                    throw CommandError("cannot reach \(self.server.http): \(failure.reason)\(self.unsent(group))")
                }
                try await Task.sleep(for: Self.pauses[failures])
                failures += 1
                continue
            } catch let error as CommandError {
                throw CommandError("\(error)\(self.unsent(group))")
            }
            refused += self.report(answer.object, lineNumbers: group.lineNumbers)
            guard let pause = answer.pause else { return refused }
            let taken = max((answer.object["resume_from"]?.int ?? 1) - 1, 0)
            attempts = taken > 0 ? 0 : attempts + 1
            group.removeFirst(taken)
            guard attempts <= Self.mostAttempts else {
                let reason = answer.object["detail"]?.string ?? "it is busy"
                throw CommandError("the server takes no more events: \(reason)\(self.unsent(group))")
            }
            StandardError.write("the server is busy, trying again in \(pause.formatted)\n")
            try await Task.sleep(for: pause)
        }
        return refused
    }

    /// What did not arrive, for the end of an error's message.
    private func unsent(_ group: EventGroup) -> String {
        guard !self.isSingle, let first = group.lineNumbers.first else { return "" }
        return "; line \(first) and what follows was not sent"
    }

    private func tell(_ problem: String, line: Int) {
        StandardError.write(self.isSingle ? "error: \(problem)\n" : "line \(line): \(problem)\n")
    }

    // MARK: Requests

    private struct Answer {
        let object: JSONObject
        /// When to send what was not taken; nil when everything was judged.
        let pause: Duration?
    }

    /// There was no answer.
    private struct Unreachable: Error {
        let reason: String
        /// Whether a connection was there, so that the server is likely to come back and may have the events.
        let mayHaveArrived: Bool
    }

    private func post(_ body: ByteBuffer) async throws -> Answer {
        var request = HTTPClientRequest(url: self.server.http + "/api/v1/events?ids=true")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-ndjson")
        self.server.token?.apply(to: &request.headers)
        request.body = .bytes(body)
        let response: HTTPClientResponse
        let text: String
        do {
            response = try await self.client.execute(request, timeout: .seconds(60))
            text = String(buffer: try await response.body.collect(upTo: 64 << 20))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let isRefused = "\(error)".contains("onnection refused")
            throw Unreachable(
                reason: ServerTrust.problem("\(error)")
                    ?? (isRefused ? "connection refused; is `tidings run` running?" : "\(error)"),
                mayHaveArrived: !isRefused && !Self.isBeforeConnection(error))
        }
        let object = try? JSONObject(json: text)
        switch response.status.code {
        case 200...299, 400, 413:
            guard let object else {
                throw CommandError("\(self.server.http) did not answer as a Tidings server would")
            }
            if object["events"] == nil && object["rejected"] == nil { throw Self.problem(object, response.status) }
            return Answer(object: object, pause: nil)
        case 429, 503:
            let asked = response.headers.first(name: "retry-after").flatMap { RetryAfter.parse($0, now: .now()) }
            let exact = object?["retry_in_ms"]?.int.map { Duration.milliseconds(max($0, 0)) }
            return Answer(
                object: object ?? JSONObject(), pause: min(exact ?? asked ?? .seconds(1), Self.longestPause))
        default:
            throw Self.problem(object, response.status)
        }
    }

    /// Whether an error tells of the name, the certificate or the time it took to connect: waiting will not mend it.
    private static func isBeforeConnection(_ error: any Error) -> Bool {
        guard let error = error as? HTTPClientError else { return !(error is IOError) }
        return error != .remoteConnectionClosed && error != .readTimeout && error != .writeTimeout
            && error != .deadlineExceeded
    }

    private static func problem(_ object: JSONObject?, _ status: HTTPResponseStatus) -> CommandError {
        let detail = object?["detail"]?.string ?? object?["title"]?.string ?? status.reasonPhrase
        return CommandError("the server refused the request: \(detail) (\(status.code))")
    }

    // MARK: Answers

    /// Prints what became of the events and returns how many were refused.
    private func report(_ answer: JSONObject, lineNumbers: [Int]) -> Int {
        var output = OutputBuffer()
        for case .object(let event) in answer["events"]?.array ?? [] {
            guard let id = event["event_id"]?.string, let status = event["status"]?.string else { continue }
            if !self.isJSON {
                output.append(id)
                continue
            }
            var members: [(String, JSONValue)] = [("event_id", .string(id)), ("status", .string(status))]
            if let offset = event["offset"] { members.append(("offset", offset)) }
            output.append(JSONObject(members).description)
        }
        output.flush()
        let rejected = answer["rejected"]?.array ?? []
        for case .object(let refusal) in rejected {
            let error = refusal["error"]?.object
            let message = error?["message"]?.string ?? "was refused"
            let field = error?["field"]?.string.map { "\($0): " } ?? ""
            let place = refusal["line"]?.int ?? refusal["index"]?.int.map { $0 + 1 } ?? 1
            let line = lineNumbers.indices.contains(place - 1) ? lineNumbers[place - 1] : place
            self.tell("\(field)\(message)", line: line)
        }
        return rejected.count
    }
}

extension Duration {
    /// Such as `1.5 s`.
    fileprivate var formatted: String {
        let milliseconds = self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
