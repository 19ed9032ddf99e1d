import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Tidings

/// Sends events to a server's HTTP interface and prints what became of each.
struct EventSender {
    let client: HTTPClient
    let server: ServerAddress
    let isJSON: Bool
    /// Whether there is only one event, so that naming its line would confuse.
    let isSingle: Bool
    /// The source of lines that name none.
    let defaultSource: String

    /// The most that one request carries.
    private static let linesPerRequest = 1000
    private static let bytesPerRequest = 1 << 20
    /// A line longer than what the server takes anyway; the rest of it is passed over.
    private static let longestLine = 8 << 20

    // MARK: Standard input

    /// Sends every line of standard input as it comes and returns how many were refused.
    func sendStandardInput() async throws -> Int {
        var refused = 0
        var lineNumber = 1
        var reader = LineReader(limit: Self.longestLine)
        while let lines = try await reader.next() {
            var group: [[UInt8]] = []
            var bytes = 0
            for line in lines {
                if !group.isEmpty && (group.count >= Self.linesPerRequest || bytes + line.count > Self.bytesPerRequest)
                {
                    refused += try await self.send(group, firstLine: lineNumber)
                    lineNumber += group.count
                    (group, bytes) = ([], 0)
                }
                group.append(line)
                bytes += line.count
            }
            if !group.isEmpty {
                refused += try await self.send(group, firstLine: lineNumber)
                lineNumber += group.count
            }
        }
        return refused
    }

    // MARK: Requests

    /// Sends events, one per line, and returns how many were refused. Empty lines count as lines and are passed over.
    ///
    /// Each line is read here first: one that is no event is told of at once and does not travel, and one that names no
    /// id gets it here, so that a request that has to be repeated publishes nothing twice.
    func send(_ lines: [[UInt8]], firstLine: Int) async throws -> Int {
        var refused = 0
        var body = JSONWriter(capacity: 1 << 16)
        var lineNumbers: [Int] = []
        for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 <= 0x20 }) {
            do throws(EventDecodingError) {
                let event = try Self.event(line, defaults: EventDecodingDefaults(source: Name(self.defaultSource)))
                body.write(event)
                body.write(byte: UInt8(ascii: "\n"))
                lineNumbers.append(firstLine + index)
            } catch {
                refused += 1
                self.tell("\(error)", line: firstLine + index)
            }
        }
        guard !lineNumbers.isEmpty else { return refused }
        let answer = try await self.post(body.withBytes { ByteBuffer(bytes: $0) })
        return try refused + self.report(answer, lineNumbers: lineNumbers)
    }

    private static func event(
        _ line: [UInt8], defaults: EventDecodingDefaults
    ) throws(EventDecodingError) -> StandardEvent {
        let outcome: Result<StandardEvent, EventDecodingError> = line.withUnsafeBytes { bytes in
            do throws(EventDecodingError) {
                return .success(try StandardEvent(json: bytes, defaults: defaults))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private func tell(_ problem: String, line: Int) {
        StandardError.write(self.isSingle ? "error: \(problem)\n" : "line \(line): \(problem)\n")
    }

    private func post(_ body: ByteBuffer) async throws -> JSONObject {
        var attempt = 0
        while true {
            var request = HTTPClientRequest(url: self.server.http + "/api/v1/events?ids=true")
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/x-ndjson")
            self.server.token?.apply(to: &request.headers)
            request.body = .bytes(body)
            let response: HTTPClientResponse
            do {
                response = try await self.client.execute(request, timeout: .seconds(60))
            } catch {
                throw CommandError("cannot reach \(self.server.http): \(Self.reason(error))")
            }
            let answer = try await response.body.collect(upTo: 64 << 20)
            let text = String(buffer: answer)
            switch response.status.code {
            case 200...299, 400, 413:
                guard let object = try? JSONObject(json: text) else {
                    throw CommandError("\(self.server.http) did not answer as a Tidings server would")
                }
                if object["events"] == nil && object["rejected"] == nil { throw Self.problem(object, response.status) }
                return object
            case 429 where attempt < 10, 503 where attempt < 10:
                attempt += 1
                let seconds = response.headers.first(name: "retry-after").flatMap { Int64($0) } ?? 1
                StandardError.write("the server is busy, trying again in \(seconds) s\n")
                try await Task.sleep(for: .seconds(min(seconds, 60)))
            default:
                throw Self.problem(try? JSONObject(json: text), response.status)
            }
        }
    }

    private static func problem(_ object: JSONObject?, _ status: HTTPResponseStatus) -> CommandError {
        let detail = object?["detail"]?.string ?? object?["title"]?.string ?? status.reasonPhrase
        return CommandError("the server refused the request: \(detail) (\(status.code))")
    }

    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        if let problem = ServerTrust.problem(text) { return problem }
        return text.contains("onnection refused") ? "connection refused; is `tidings run` running?" : text
    }

    // MARK: Answers

    private func report(_ answer: JSONObject, lineNumbers: [Int]) throws -> Int {
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
