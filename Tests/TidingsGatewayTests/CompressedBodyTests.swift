import CZlib
import NIOCore
import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct CompressedBodyTests {
    /// - Parameter windowBits: 31 for gzip, 15 for zlib, -15 for a bare stream.
    static func compress(_ bytes: [UInt8], windowBits: Int32, level: Int32 = 6) -> [UInt8] {
        var stream = z_stream()
        precondition(tidings_deflate_init(&stream, level, windowBits, 8) == Z_OK)
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(compressBound(UInt(bytes.count))) + 64)
        let room = output.count
        let left = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Int(stream.avail_out)
            }
        }
        return Array(output.prefix(room - left))
    }

    private static func post(
        _ gateway: GatewayHarness, _ bytes: [UInt8], encoding: String, type: String = "application/json",
        piece: Int = .max
    ) async throws -> HTTPTestResponse {
        let client = try await gateway.http()
        defer { client.close() }
        try await client.sendHead(
            "POST", "/api/v1/events",
            headers: [("Content-Type", type), ("Content-Encoding", encoding), ("Transfer-Encoding", "chunked")])
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(piece)
            rest = rest.dropFirst(part.count)
            // The server may have answered and closed before it has everything.
            do { try await client.sendBody(ByteBuffer(bytes: part)) } catch { break }
        }
        try? await client.sendEnd()
        return try await client.response()
    }

    @Test(arguments: [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15), ("GZIP", 31)])
    func `compressed bodies are read, in whatever pieces`(encoding: String, windowBits: Int) async throws {
        try await GatewayHarness.run { gateway in
            let json =
                "[" + (0..<500).map { #"{"event_type":"a","payload":{"n":\#($0)}}"# }.joined(separator: ",") + "]"
            let body = Self.compress(Array(json.utf8), windowBits: Int32(windowBits))
            for piece in [1, 7, 100_000] {
                let answer = try await Self.post(gateway, body, encoding: encoding, piece: piece)
                #expect(answer.status == 202, "\(answer.body.prefix(300))")
                #expect(try answer.object["accepted"]?.int == 500)
            }
        }
    }

    @Test func `members of gzip follow one another, and NDJSON may be compressed`() async throws {
        try await GatewayHarness.run { gateway in
            let body = (0..<3).flatMap { part in
                Self.compress(
                    Array(
                        (0..<100).map { #"{"event_type":"a","payload":{"n":\#(part * 100 + $0)}}"# + "\n" }.joined()
                            .utf8),
                    windowBits: 31)
            }
            let answer = try await Self.post(gateway, body, encoding: "gzip", type: "application/x-ndjson")
            #expect(try answer.object["accepted"]?.int == 300)
        }
    }

    @Test func `other encodings are named, and lies are told`() async throws {
        try await GatewayHarness.run { gateway in
            let plain = Array(#"{"event_type":"a"}"#.utf8)
            for encoding in ["br", "zstd", "gzip, gzip"] {
                let answer = try await Self.post(gateway, plain, encoding: encoding)
                #expect(answer.status == 415)
                #expect(answer.headers.first(name: "accept-encoding") == "gzip, deflate, identity")
                #expect(try answer.object["field"]?.string == "Content-Encoding")
            }
            for (body, code) in [
                (plain, "invalid_encoding"),
                (Array(Self.compress(plain, windowBits: 31).dropLast(4)), "invalid_encoding"),
            ] {
                let answer = try await Self.post(gateway, body, encoding: "gzip")
                #expect(answer.status == 400)
                #expect(try answer.object["code"]?.string == code)
            }
            #expect(try await Self.post(gateway, plain, encoding: "identity").status == 202)
        }
    }

    @Test func `a bomb is refused before it has gone off`() async throws {
        try await GatewayHarness.run { gateway in
            let blanks = Self.compress([UInt8](repeating: 0x20, count: 100 << 20), windowBits: 31)
            #expect(blanks.count < 200_000)
            let json = try await Self.post(gateway, blanks, encoding: "gzip")
            #expect(json.status == 413)
            #expect(try json.object["code"]?.string == "body_too_large")
            let event = Array((#"{"event_id":"before","event_type":"a"}"# + "\n").utf8)
            let blank = [UInt8](repeating: 0x20, count: 65_535) + [0x0A]
            let blankLines = Self.compress(event + (0..<1600).flatMap { _ in blank }, windowBits: 31)
            let lines = try await Self.post(gateway, blankLines, encoding: "gzip", type: "application/x-ndjson")
            #expect(lines.status == 413)
            #expect(try lines.object["accepted"]?.int == 1)
            #expect(gateway.log.bounds.head == 1)
        }
    }
}
