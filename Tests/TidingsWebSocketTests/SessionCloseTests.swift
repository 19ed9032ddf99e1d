import Testing

@testable import TidingsWebSocket

@Suite struct SessionCloseTests {
    @Test func `a close is echoed, and the server ends the socket`() {
        #expect(events(closeFrame(1000, Array("bye".utf8))) == [.close(1000, ""), .finished(1000)])
        #expect(events(closeFrame(nil)) == [.close(nil, ""), .finished(1005)])
    }

    @Test func `the client leaves the socket's end to the server, for a time`() {
        var harness = SessionHarness(.client)
        harness.feed(closeFrame(1000, to: .client))
        #expect(harness.events == [.close(1000, "")])
        let wake = harness.session.nextWake ?? 0
        #expect(wake == 5_000_000_000)
        harness.wake(wake)
        #expect(harness.events == [.close(1000, ""), .finished(1000)])
        #expect(harness.nextWake == nil)
    }

    @Test func `what follows a close is ignored`() {
        let bytes = closeFrame(1000) + frame(.text, "late") + frame(.ping, "late") + [0xFF, 0xFF, 0xFF]
        #expect(events(bytes) == [.close(1000, ""), .finished(1000)])
    }

    @Test func `codes that may be used are accepted`() {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
            #expect(events(closeFrame(code)) == [.close(code, ""), .finished(code)])
        }
    }

    @Test func `codes that may not be used close with 1002`() {
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            #expect(events(closeFrame(code)) == [.close(1002, "Invalid close code"), .finished(1002)])
        }
    }

    @Test func `a close payload of one byte closes with 1002`() {
        #expect(events(frame(.close, [3])) == [.close(1002, "Invalid close frame"), .finished(1002)])
    }

    @Test func `a close reason that is not UTF-8 closes with 1007`() {
        #expect(events(closeFrame(1000, [0xCE])) == [.close(1007, "Invalid UTF-8"), .finished(1007)])
        #expect(events(closeFrame(1000, [UInt8](repeating: 0x2A, count: 123))) == [.close(1000, ""), .finished(1000)])
    }

    @Test func `a close we began ends when the peer answers, and reports our code`() {
        var harness = SessionHarness()
        harness.close(.goingAway, reason: "stopping")
        harness.close(.normal)
        let isOpen = harness.session.isOpen
        #expect(!isOpen)
        harness.feed(frame(.text, "in flight") + frame(.ping, "p") + closeFrame(1000))
        #expect(harness.events == [.close(1001, "stopping"), .finished(1001)])
    }

    @Test func `a close that is not answered ends after the timeout`() {
        var harness = SessionHarness()
        harness.close(.normal, now: 1_000)
        harness.wake(5_000_000_999)
        #expect(harness.events == [.close(1000, "")])
        harness.wake(5_000_001_000)
        #expect(harness.events == [.close(1000, ""), .finished(1000)])
    }

    @Test func `after a violation the peer's close is still found behind other frames`() {
        let bytes = frame(.continuation, "x") + frame(.text, [0xFF]) + [0x83, 0x80, 1, 2, 3, 4] + closeFrame(1002)
        #expect(events(bytes) == [.close(1002, "Continuation of nothing"), .finished(1002)])
    }

    @Test func `after a violation inside a frame its rest is skipped`() {
        var harness = SessionHarness()
        let bad = frame(.text, [0xFF] + [UInt8](repeating: 0x88, count: 1000))
        harness.feed(bad + closeFrame(1000), cuts: [9, 500])
        #expect(harness.events == [.close(1007, "Invalid UTF-8"), .finished(1007)])
    }

    @Test func `where framing is lost while closing the session ends`() {
        let lost: [UInt8] = [0x89, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0]
        #expect(events(frame(.continuation, "x") + lost) == [.close(1002, "Continuation of nothing"), .finished(1002)])
    }

    @Test func `a socket that ends without a close frame is abnormal`() {
        var session = WebSocketSession(role: .client, now: 0)
        let closure = session.transportClosed(WebSocketError(.transport, "reset"))
        #expect(closure?.code == .abnormal)
        #expect(closure?.initiator == .transport)
        #expect(closure?.cause?.code == .transport)
        let again = session.transportClosed()
        #expect(again?.code == nil)
    }

    @Test func `the closure says who, and whether it was clean`() {
        var harness = SessionHarness(.client)
        harness.feed(closeFrame(4001, Array("moved".utf8), to: .client))
        let closure = harness.session.transportClosed()
        #expect(closure?.code.rawValue == 4001)
        #expect(closure?.reason == "moved")
        #expect(closure?.initiator == .remote)
        #expect(closure?.isClean == true)
    }

    @Test func `a long reason is cut at a character, and codes that are never sent are left out`() {
        let payload = ClosePayload.encode(.normal, String(repeating: "é", count: 100))
        #expect(payload.count == 124)
        #expect(String(validating: payload.dropFirst(2), as: UTF8.self) != nil)
        #expect(ClosePayload.encode(.abnormal, "x").isEmpty)
    }
}

@Suite struct SessionKeepAliveTests {
    private static let second: Int64 = 1_000_000_000

    private static func options(every interval: Int, timeout: Int) -> WebSocketOptions {
        var options = WebSocketOptions()
        options.pingInterval = .seconds(interval)
        options.pongTimeout = .seconds(timeout)
        return options
    }

    @Test func `it pings every interval as long as pongs come`() {
        var harness = SessionHarness(options: Self.options(every: 10, timeout: 3))
        for round in 1...3 {
            let due = Int64(round) * 10 * Self.second
            #expect(harness.nextWake == due)
            harness.wake(due - 1)
            #expect(harness.events.count == round - 1)
            harness.wake(due)
            #expect(harness.events.last == .ping([0, 0, 0, 0, 0, 0, 0, UInt8(round)]))
            #expect(harness.nextWake == due + 3 * Self.second)
            harness.feed(frame(.pong, [0, 0, 0, 0, 0, 0, 0, UInt8(round)]), now: due + 1)
        }
    }

    @Test func `a missed pong closes with 4012 and does not wait for an answer`() {
        var harness = SessionHarness(options: Self.options(every: 10, timeout: 3))
        harness.wake(10 * Self.second)
        harness.wake(13 * Self.second - 1)
        #expect(harness.events.count == 1)
        harness.wake(13 * Self.second)
        #expect(Array(harness.events.dropFirst()) == [.close(4012, "No pong"), .finished(4012)])
    }

    @Test func `any bytes show that the peer lives`() {
        var harness = SessionHarness(options: Self.options(every: 10, timeout: 3))
        harness.wake(10 * Self.second)
        harness.feed(Array(frame(.text, "slow").prefix(3)), now: 12 * Self.second)
        harness.wake(13 * Self.second)
        #expect(harness.events.count == 1)
    }

    @Test func `no pong is missed while we do not read`() {
        var harness = SessionHarness(options: Self.options(every: 10, timeout: 3))
        harness.wake(10 * Self.second)
        harness.wake(13 * Self.second, isReading: false)
        #expect(harness.events.count == 1)
        harness.session.resumedReading(now: 15 * Self.second)
        harness.wake(16 * Self.second)
        #expect(Event.closing(harness.events) == nil)
    }

    @Test func `without an interval it never wakes`() {
        var options = WebSocketOptions()
        options.pingInterval = nil
        let harness = SessionHarness(options: options)
        #expect(harness.nextWake == nil)
    }

    @Test func `absurd durations do not overflow`() {
        var options = WebSocketOptions()
        options.pingInterval = .seconds(Int64.max)
        options.pongTimeout = .seconds(Int64.max)
        options.closeTimeout = .seconds(-5)
        var session = WebSocketSession(role: .server, options: options, now: Int64.max - 5)
        let ping = session.nextWake
        #expect(ping == .max)
        _ = session.close(.normal, now: .max)
        let wake = session.nextWake
        #expect(wake == .max)
    }
}
