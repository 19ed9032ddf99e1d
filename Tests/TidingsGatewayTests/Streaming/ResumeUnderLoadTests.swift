import Foundation
import NIOHTTP1
import Testing
import Tidings
import TidingsSQLite

@testable import TidingsGateway

/// Clients that go back to a random place while events are committed as fast as they can be: nothing is missing and
/// nothing comes twice where history and live meet.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct ResumeUnderLoadTests {
    private static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil
    private static let symbols = ["A", "B", "C"]

    enum Store: String, CaseIterable { case memory, sqlite }

    /// Event number n has offset n, symbol n % 3, and a time that rises with it.
    private static func event(_ number: Int) -> StandardEvent {
        StandardEvent(
            eventType: .trade, source: "test",
            payload: [
                "symbol": .string(Self.symbols[number % 3]), "n": .number(ExactDecimal(mantissa: Int64(number))),
            ],
            timestamp: Timestamp(
                nanoseconds: 1_700_000_000_000_000_000 + Int64(number) * 1_000_000, precision: .milliseconds))
    }

    private static func expected(_ after: Int, _ total: Int, symbol: Int?) -> [Int64] {
        (after + 1...max(total, after + 1)).filter { $0 <= total && (symbol == nil || $0 % 3 == symbol) }.map {
            Int64($0)
        }
    }

    private static func withLog(
        _ store: Store, _ body: @Sendable (any EventLog) async throws -> Void
    ) async throws {
        switch store {
        case .memory: try await body(MemoryEventLog(capacity: 10_000_000))
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-resume-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            var configuration = SQLiteLogConfiguration(file: folder.path + "/log.db")
            configuration.durability = .off
            let log = try await SQLiteEventLog.open(configuration)
            do {
                try await body(log)
            } catch {
                await log.close()
                throw error
            }
            await log.close()
        }
    }

    @Test(arguments: Store.allCases)
    func `whoever resumes under load gets every event once`(_ store: Store) async throws {
        let total = Self.isLong ? 400_000 : 40_000
        let clients = Self.isLong ? 60 : 16
        try await Self.withLog(store) { log in
            try await GatewayHarness.run(log: log) {
                // This is about the seam, not about slow clients.
                $0.limits.clientBufferBytes = 256 << 20
            } _: { gateway in
                let start = ContinuousClock.now
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        var random = HubRandom(seed: 1)
                        var next = 1
                        while next <= total {
                            let count = min(Int.random(in: 1...64, using: &random), total - next + 1)
                            _ = try await gateway.bus.publish(EventBatch((next..<next + count).map(Self.event)))
                            next += count
                        }
                        print(
                            "\(store): \(Int(Double(total) / ((ContinuousClock.now - start) / .seconds(1)))) events/s")
                    }
                    for number in 0..<clients {
                        group.addTask {
                            // They come one after the other, all along.
                            let head = Int64(total * number / clients)
                            try await eventually("the load has come so far", .seconds(300)) {
                                gateway.log.bounds.head >= head
                            }
                            var random = HubRandom(seed: UInt64(number) &* 77)
                            if number % 3 == 2 {
                                try await Self.resumeSSE(gateway, total, &random)
                            } else {
                                try await Self.resumeSocket(gateway, total, &random)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    private static func resumeSocket(
        _ gateway: GatewayHarness, _ total: Int, _ random: inout HubRandom
    ) async throws {
        let symbol = Bool.random(using: &random) ? nil : Int.random(in: 0..<3, using: &random)
        let after = Int.random(in: 0...max(Int(gateway.log.bounds.head), 0), using: &random)
        let epoch = gateway.log.epoch
        var start = after
        let from: String
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            start = 0
            from = #""start""#
        case 1: from = #"{"offset":\#(after)}"#
        case 2: from = #"{"epoch":"\#(epoch)","offset":\#(after)}"#
        default: from = #"{"time":"\#(Self.event(after + 1).timestamp)"}"#
        }
        let socket = try await gateway.socket()
        let wanted = symbol.map { Self.symbols[$0] } ?? "*"
        try await socket.send(#"{"action":"subscribe","symbols":["\#(wanted)"],"from":\#(from)}"#)
        let first = try await socket.next()
        let ack = try #require(first)
        #expect(ack["data"]?.object?["recovered"]?.bool == true, "\(ack) from \(from)")
        #expect(ack["data"]?.object?["offset"]?.int == start, "\(ack) from \(from)")
        let expected = Self.expected(start, total, symbol: symbol)
        #expect(try await socket.offsets(expected.count, .seconds(300)) == expected)
        try await socket.close()
    }

    private static func resumeSSE(_ gateway: GatewayHarness, _ total: Int, _ random: inout HubRandom) async throws {
        let symbol = Bool.random(using: &random) ? nil : Int.random(in: 0..<3, using: &random)
        // Without a position a stream is live.
        let after = Int.random(in: 1...max(Int(gateway.log.bounds.head), 1), using: &random)
        guard after <= gateway.log.bounds.head else { return }
        let client = try await gateway.http()
        let query = symbol.map { "?symbol=\(Self.symbols[$0])" } ?? ""
        try await client.sendHead(
            "GET", "/api/v1/stream\(query)", headers: [("Last-Event-ID", "\(gateway.log.epoch)-\(after)")])
        try await client.sendEnd()
        #expect(try await client.head().status == .ok)
        let expected = Self.expected(after, total, symbol: symbol)
        var offsets: [Int64] = []
        var rest = ""
        while offsets.count < expected.count, let part = try await client.bodyPart(.seconds(120)) {
            rest += part
            var lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
            rest = String(lines.popLast() ?? "")
            for line in lines where line.hasPrefix("id: ") || line.hasPrefix("event: ") {
                guard let dash = line.lastIndex(of: "-"), let offset = Int64(line[line.index(after: dash)...]) else {
                    Issue.record("\(line) after \(offsets.last ?? 0)")
                    return
                }
                offsets.append(offset)
            }
        }
        #expect(offsets == expected)
        client.close()
    }

    @Test func `who resumes behind what is kept is told so, and of all that goes while it reads`() async throws {
        let total = Self.isLong ? 300_000 : 30_000
        try await GatewayHarness.run(log: MemoryEventLog(capacity: 3000)) {
            $0.limits.clientBufferBytes = 256 << 20
        } _: { gateway in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for start in stride(from: 1, through: total, by: 50) {
                        _ = try await gateway.bus.publish(EventBatch((start..<start + 50).map(Self.event)))
                    }
                }
                for number in 1...8 {
                    group.addTask {
                        try await eventually("some has gone", .seconds(120)) {
                            gateway.log.bounds.oldest > Int64(total * number / 10)
                        }
                        let socket = try await gateway.socket()
                        try await socket.send(#"{"action":"subscribe","symbols":["*"],"from":{"offset":1}}"#)
                        let first = try await socket.next()
                        let ack = try #require(first?["data"]?.object)
                        #expect(ack["recovered"]?.bool == false)
                        let oldest = Int64(try #require(ack["oldest_offset"]?.int))
                        #expect(ack["offset"]?.int == Int(oldest) - 1)
                        var last = oldest - 1
                        while last < total {
                            let next = try await socket.next(.seconds(60))
                            let message = try #require(next)
                            if message["type"]?.string == "gap" {
                                #expect(message["after"]?.int == Int(last))
                                last += Int64(message["dropped"]?.int ?? 0)
                            } else {
                                #expect(message["offset"]?.int == Int(last) + 1)
                                last = Int64(message["offset"]?.int ?? 0)
                            }
                        }
                        try await socket.close()
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
