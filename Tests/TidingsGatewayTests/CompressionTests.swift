import NIOCore
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

/// permessage-deflate in the gateway (RFC 7692).
@Suite(.timeLimit(.minutes(1))) struct CompressionTests {
    private static let everything = #"{"action":"subscribe","symbols":["*"]}"#

    private static let everyPair = SubscriptionPair(symbol: "*", type: .all, sources: [])

    private static func events(_ range: ClosedRange<Int>, bytes: Int = 600) -> [StandardEvent] {
        range.map { number in
            StandardEvent(
                eventType: .trade, source: "test",
                payload: [
                    "symbol": .string("S\(number % 3)"), "note": .string(String(repeating: "ab", count: bytes / 2)),
                ])
        }
    }

    private static func handshake(_ socket: TestSocket) async throws -> WebSocketConnection.Handshake {
        try await socket.connection().handshake
    }

    @Test func `a client that offers it gets compressed events, live and from history, the same as everybody else`()
        async throws
    {
        try await GatewayHarness.run(configure: { $0.compression = .on }) { gateway in
            _ = try await gateway.bus.publish(EventBatch(Self.events(1...50)))
            let plain = try await gateway.socket()
            let compressed = try await gateway.socket(deflate: .init())
            let both = try await gateway.socket(subprotocols: ["cloudevents.json"], deflate: .init())
            #expect(try await Self.handshake(plain).deflate == nil)
            #expect(try await Self.handshake(compressed).deflate == WebSocketDeflateParameters())
            #expect(try await Self.handshake(both).deflate != nil)
            for socket in [plain, compressed, both] {
                _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"from":"start"}"#)
            }
            _ = try await gateway.bus.publish(EventBatch(Self.events(51...100)))
            for number in 1...100 {
                let expected = try await plain.next()
                #expect(expected?["offset"]?.int == number)
                #expect(try await compressed.next() == expected)
                let cloud = try await both.next()
                #expect(cloud?["id"] == expected?["data"]?.object?["event_id"])
            }
        }
    }

    @Test func `short events and answers go as they are`() async throws {
        try await HubRig.run { (eventLoop: any EventLoop) throws -> Void in
            let rig = HubRig(eventLoop)
            let sink = TestSink(.deflatedWebSocket)
            rig.hub.add(sink, principal: .anyone).subscribe([Self.everyPair], after: nil)
            rig.publish([StandardEvent(eventType: "e", source: "s", payload: .empty)])
            #expect(rig.hub.compressor.count == 0)
            #expect(try sink.takeMessages() == [.event(1)])
            rig.publish(Self.events(1...2))
            #expect(rig.hub.compressor.count == 2)
            #expect(try sink.takeMessages() == [.event(2), .event(3)])
        }
    }

    @Test func `an event is compressed once for a thousand clients, and not at all for those who want none of it`()
        async throws
    {
        try await HubRig.run { (eventLoop: any EventLoop) throws -> Void in
            let rig = HubRig(eventLoop)
            let sinks = (0..<1000).map { _ in TestSink(.deflatedWebSocket) }
            for (number, sink) in sinks.enumerated() {
                // Three different subscriptions, of which each event matches two.
                let symbol = number.isMultiple(of: 4) ? "*" : "S\(number % 2)"
                let pair = SubscriptionPair(symbol: symbol, type: .all, sources: [])
                rig.hub.add(sink, principal: .anyone).subscribe([pair], after: nil)
            }
            rig.publish(Self.events(0...59))
            #expect(rig.hub.compressor.count == 60)
            for (number, sink) in sinks.enumerated() {
                let expected = (0...59).filter { number.isMultiple(of: 4) || $0 % 3 == number % 2 }
                #expect(try sink.takeMessages() == expected.map { .event(Int64($0 + 1)) })
            }
            let other = HubRig(eventLoop)
            let rare = TestSink(.deflatedWebSocket)
            let pair = SubscriptionPair(symbol: "S1", type: .all, sources: [])
            other.hub.add(rare, principal: .anyone).subscribe([pair], after: nil)
            other.publish(Self.events(0...59))
            #expect(other.hub.compressor.count == 20)
            #expect(try rare.takeMessages().count == 20)
        }
    }

    @Test func `a client that conflates gets the newest, compressed`() async throws {
        try await HubRig.run { (eventLoop: any EventLoop) throws -> Void in
            let rig = HubRig(eventLoop)
            let sink = TestSink(.deflatedWebSocket)
            let client = rig.hub.add(sink, principal: .anyone)
            client.conflates = true
            client.subscribe([Self.everyPair], after: nil)
            sink.isWritable = false
            rig.publish(Self.events(0...29))
            sink.isWritable = true
            client.becameWritable()
            #expect(try sink.takeMessages() == [.event(28), .event(29), .event(30)])
        }
    }

    @Test func `clients on this machine get nothing compressed unless that is switched on`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket(deflate: .init())
            #expect(try await Self.handshake(socket).deflate == nil)
        }
        let addresses = [
            "127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "192.168.0.7", "2001:db8::1", "128.0.0.1",
        ]
        let applies = try addresses.map {
            GatewayConfiguration.Compression.automatic.applies(to: try SocketAddress(ipAddress: $0, port: 1))
        }
        #expect(applies == [false, false, false, false, true, true, true])
        #expect(!GatewayConfiguration.Compression.automatic.applies(to: nil))
        let remote = try SocketAddress(ipAddress: "192.168.0.7", port: 1)
        #expect(!GatewayConfiguration.Compression.off.applies(to: remote))
    }

    @Test func `what decompresses to more than an event may have closes with 1009, and others go on`() async throws {
        try await GatewayHarness.run(configure: {
            $0.compression = .on
            $0.limits.eventBytes = 10_000
        }) { gateway in
            let other = try await gateway.socket(deflate: .init())
            _ = try await other.ask(Self.everything)
            let socket = try await gateway.socket(deflate: .init())
            // A few kilobytes on the wire.
            try await socket.send(String(repeating: " ", count: 200_000))
            #expect(try await socket.closure().code == .tooBig)
            let publish =
                #"{"action":"publish","event":{"event_type":"e","payload":{"note":"\#(String(repeating: "x", count: 2000))"}}}"#
            let publisher = try await gateway.socket(deflate: .init())
            #expect(try await publisher.ask(publish).contains("accepted"))
            #expect(try await other.offsets(1) == [1])
        }
    }
}
