import Foundation
import NIOCore
import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

/// Bodies that somebody has damaged: nothing crashes, and what is taken is an event that goes out and comes in the same.
@Suite struct IngestFuzzTests {
    private static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil

    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = self.state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let seeds = [
        #"{"specversion":"1.0","id":"ce-1","source":"/s","type":"t","time":"2026-03-01T12:00:00.123Z","correlationid":"c","parenteventid":"p","priority":2,"datacontenttype":"application/json","subject":"z","flag":true,"n":-7,"data":{"p":50000.00}}"#,
        #"{"specversion":"1.0","id":"1","source":"a b%","type":"t","data_base64":"AP8=","processedat":"2026-03-01T12:00:00Z","processingtimems":"0.5"}"#,
        #"{"specversion":"1.0","id":"1","source":"1:b[#]#","type":"t","data":"text","payload":"x","timestamp":true}"#,
        #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":[1,null],"tidingsextra":"{\"A\":[1],\"id\":2}","tidingsoffset":"9"}"#,
        #"{"specversion":"1.0","id":"1","source":"/s","type":"t","tidingsextra":"{}","ext":"\u0001\ud83d\ude00"}"#,
    ]

    private static func mutated(_ seed: String, _ generator: inout Generator) -> [UInt8] {
        var bytes = Array(seed.utf8)
        let pieces = [
            #""data":"#, #""id":"2","#, #""ext":null,"#, "{", "}", "[", "]", "\"", "\\", ",", ":", "1e5", "\\u0000",
            "\u{7f}", "null", #""cloud_event":{},"#,
        ]
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            guard !bytes.isEmpty else { break }
            let at = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes.remove(at: at)
            case 2:
                bytes.insert(contentsOf: pieces.randomElement(using: &generator).map { Array($0.utf8) } ?? [], at: at)
            case 3: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...20, using: &generator)))
            case 4: bytes = Array(bytes[..<at])
            default:
                let other = Int.random(in: 0..<bytes.count, using: &generator)
                bytes.swapAt(at, other)
            }
        }
        return bytes
    }

    private static func read(_ bytes: [UInt8]) -> StandardEvent? {
        bytes.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            let defaults = EventDecodingDefaults(source: "http")
            guard let result = try? CloudEvent.event(&reader, defaults), (try? reader.expectEnd()) != nil else {
                return nil
            }
            return try? result.get()
        }
    }

    private static func write(_ event: StandardEvent) -> [UInt8] {
        var writer = JSONWriter()
        LoggedEvent(offset: 1, event: event).withJSON { CloudEventWriter.write($0, offset: 7, into: &writer) }
        return writer.array()
    }

    private static func withoutOrder(_ event: StandardEvent) -> StandardEvent {
        var event = event
        event.source = "any"
        event.extra = event.extra.map { extra in
            JSONObject(
                extra.members.sorted { ($0.key, "\($0.value)") < ($1.key, "\($1.value)") }.map { ($0.key, $0.value) })
        }
        return event
    }

    @Test func `what is taken from a damaged CloudEvent goes out and comes in the same`() {
        var generator = Generator(state: 5)
        var taken = 0
        for round in 0..<(Self.isLong ? 3_000_000 : 30_000) {
            let bytes = Self.mutated(Self.seeds[round % Self.seeds.count], &generator)
            guard let event = Self.read(bytes) else { continue }
            taken += 1
            let out = Self.write(event)
            guard let again = Self.read(out) else {
                Issue.record("round \(round): \(String(decoding: out, as: UTF8.self)) is refused")
                return
            }
            // A source that is no URI reference is made one, and what attributes cannot hold comes behind what they can.
            guard again.source == event.source || URIReference.encode("\(event.source)") == "\(again.source)",
                Self.withoutOrder(again) == Self.withoutOrder(event)
            else {
                Issue.record("round \(round): \(event.json) became \(again.json)")
                return
            }
        }
        #expect(taken > 1000)
    }

    @Test func `any event of ours goes out and comes in the same`() throws {
        var generator = Generator(state: 6)
        let keys = [
            "a", "B", "id", "type", "data", "data_base64", "specversion", "time", "subject", "dataschema",
            "datacontenttype", "tidingsextra", "tidingsoffset", "correlationid", "parenteventid", "processedat",
            "processingtimems", "replay", "extra", "cloud_event2", "ü", "a b",
        ]
        let values: [JSONValue] = [
            "x", "", "\u{1}", "{}", "{\"a\":1}", 1, -5, 1.5, true, nil, [1], ["a": 1], "\u{85}", "\"\\",
        ]
        for round in 0..<(Self.isLong ? 1_000_000 : 20_000) {
            var event = StandardEvent(
                eventType: "custom", source: "me",
                payload: .object([:]), priority: EventPriority(Int.random(in: 1...10, using: &generator)) ?? .normal,
                eventID: EventID("e\(round)"))
            var members: [(String, JSONValue)] = []
            for key in keys.shuffled(using: &generator).prefix(Int.random(in: 0...6, using: &generator)) {
                members.append((key, values.randomElement(using: &generator) ?? nil))
            }
            event.extra = members.isEmpty ? nil : JSONObject(members)
            let out = Self.write(event)
            let again = try #require(Self.read(out), "\(event.json) became \(String(decoding: out, as: UTF8.self))")
            guard Self.withoutOrder(again) == Self.withoutOrder(event) else {
                Issue.record("\(event.json) became \(again.json)")
                return
            }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `damaged requests get an answer each`() async throws {
        try await GatewayHarness.run {
            $0.limits.eventBytes = 4096
            $0.limits.bodyBytes = 20_000
        } _: { gateway in
            var generator = Generator(state: 7)
            let types = [
                "application/json", "application/x-ndjson", "application/cloudevents+json",
                "application/cloudevents-batch+json", "text/plain", "", "application/octet-stream",
            ]
            let encodings: [String?] = [nil, nil, nil, "gzip", "deflate", "br"]
            var client = try await gateway.http()
            for round in 0..<(IngestFuzzTests.isLong ? 50_000 : 600) {
                let type = types.randomElement(using: &generator) ?? ""
                let encoding = encodings.randomElement(using: &generator) ?? nil
                var body = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                    Self.mutated(Self.seeds.randomElement(using: &generator) ?? "", &generator)
                }.joined(separator: Array((Bool.random(using: &generator) ? "\n" : ",").utf8)).map { $0 }
                if Bool.random(using: &generator) { body = Array("[".utf8) + body + Array("]".utf8) }
                if encoding == "gzip" || encoding == "deflate" {
                    body = CompressedBodyTests.compress(body, windowBits: encoding == "gzip" ? 31 : 15)
                    if Bool.random(using: &generator), !body.isEmpty {
                        body[Int.random(in: 0..<body.count, using: &generator)] ^= 1
                    }
                }
                var headers = [("Content-Type", type), ("Content-Length", "\(body.count)")].filter { !$0.1.isEmpty }
                if let encoding { headers.append(("Content-Encoding", encoding)) }
                if Bool.random(using: &generator) {
                    headers += [
                        ("ce-specversion", "1.0"), ("ce-id", "\(round)"), ("ce-source", "/%"), ("ce-type", "t"),
                    ]
                }
                try await client.sendHead("POST", "/api/v1/events", headers: headers)
                // It may be answered before it was read.
                try? await client.sendBody(ByteBuffer(bytes: body))
                try? await client.sendEnd()
                let answer = try await client.response()
                #expect([202, 400, 413, 415].contains(answer.status), "\(answer.status) \(answer.body)")
                #expect(throws: Never.self) { _ = try answer.object }
                if answer.headers.first(name: "connection") == "close" {
                    client.close()
                    client = try await gateway.http()
                }
            }
            client.close()
        }
    }
}
