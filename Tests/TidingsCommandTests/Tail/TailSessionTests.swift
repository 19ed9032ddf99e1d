import Testing
import Tidings

@testable import TidingsCommand

/// What `tail` does about everything that can happen to it, without a server.
@Suite struct TailSessionTests {
    private static func session(
        _ position: TailSession.Position? = nil, limit: Int? = nil, filter: EventFilter = .all
    ) -> TailSession {
        TailSession(filter: filter, position: position, limit: limit, line: EventLine(format: .json))
    }

    private static func event(_ offset: Int64, _ type: String = "e") -> String {
        #"{"type":"event","offset":\#(offset),"data":{"event_id":"i\#(offset)","event_type":"\#(type)","source":"s","timestamp":"2026-01-01T00:00:00Z"}}"#
    }

    private static func ack(
        _ offset: Int64, epoch: String = "A", recovered: Bool? = nil, oldest: Int64? = nil
    ) -> String {
        let more = recovered.map { ",\"recovered\":\($0)" } ?? ""
        let from = oldest.map { ",\"oldest_offset\":\($0)" } ?? ""
        return #"{"type":"ack","action":"subscribed","data":{"epoch":"\#(epoch)","offset":\#(offset)\#(more)\#(from)}}"#
    }

    private static func receive(_ session: inout TailSession, _ frame: String) -> [TailSession.Effect] {
        var frame = frame
        return frame.withUTF8 { session.received(UnsafeRawBufferPointer($0)) }
    }

    private static func from(_ subscription: String) throws -> JSONValue? {
        try JSONObject(json: subscription)["from"]
    }

    private static let cut = TailSession.Loss.closed("reset")

    @Test func `it asks for what was wanted, and after a break for what follows the last event`() throws {
        var session = Self.session(.start, filter: EventFilter(types: ["trade", "login.*"], symbols: ["btc-usd"]))
        let first = try JSONObject(json: session.opened())
        #expect(first["event_types"] == ["trade", "login.*"])
        #expect(first["symbols"]?.array?.count == 1)
        #expect(first["from"] == "start")
        #expect(Self.receive(&session, Self.ack(0, recovered: true)).isEmpty)
        // Before any event the position is where the server began to send.
        _ = session.lost(Self.cut)
        #expect(try Self.from(session.opened()) == ["epoch": "A", "offset": 0])
        #expect(Self.receive(&session, Self.event(7, "trade")).isEmpty, "another symbol")
        _ = session.lost(Self.cut)
        #expect(try Self.from(session.opened()) == ["epoch": "A", "offset": 7])
    }

    @Test func `without a position it begins with what comes, and says so when the server never answered`() throws {
        var session = Self.session()
        #expect(try Self.from(session.opened()) == nil)
        guard case .again(_, let notice) = session.lost(Self.cut) else {
            Issue.record("it gave up")
            return
        }
        #expect(notice == "connection lost (reset; what comes until then is not shown), trying again")
        _ = session.opened()
        _ = Self.receive(&session, Self.ack(41))
        _ = session.lost(Self.cut)
        #expect(try Self.from(session.opened()) == ["epoch": "A", "offset": 41])
    }

    @Test func `events are printed once each, and the last that was asked for ends it`() {
        var session = Self.session(limit: 2)
        _ = session.opened()
        _ = Self.receive(&session, Self.ack(0))
        guard case .print(let line)? = Self.receive(&session, Self.event(1)).first else {
            Issue.record("nothing was printed")
            return
        }
        #expect(line.hasPrefix(#"{"offset":1,"event":{"event_id":"i1","#))
        let last = Self.receive(&session, Self.event(2))
        #expect(last.count == 2 && last.last == .close)
        #expect(session.isDone)
        #expect(Self.receive(&session, Self.event(3)).isEmpty)
        #expect(session.lost(Self.cut) == .done)
    }

    @Test func `history that is gone is told of by its offsets, another log as such`() {
        var session = Self.session(.offset(10, epoch: nil))
        _ = session.opened()
        #expect(
            Self.receive(&session, Self.ack(49, recovered: false, oldest: 50)) == [
                .notice("the server no longer has offsets 11 to 49: events may be missing")
            ])
        _ = Self.receive(&session, Self.event(60))
        _ = session.lost(Self.cut)
        _ = session.opened()
        let effects = Self.receive(&session, Self.ack(0, epoch: "B", recovered: false, oldest: 1))
        #expect(
            effects == [
                .notice(
                    "the server has another log than before: what was in the old one and not shown yet is missing; "
                        + "going on at offset 1 of the new one")
            ])
        _ = session.lost(Self.cut)
        #expect(session.opened().contains(#"{"epoch":"B","offset":0}"#))
        var beginning = Self.session(.start)
        _ = beginning.opened()
        #expect(
            Self.receive(&beginning, Self.ack(4, recovered: false, oldest: 5)) == [
                .notice("the server no longer has what was before offset 5")
            ])
    }

    @Test func `a refused subscription ends it, a passing error and a gap do not`() {
        var session = Self.session()
        _ = session.opened()
        #expect(Self.receive(&session, #"{"type":"error","error":"no","code":"forbidden"}"#) == [.close])
        #expect(session.lost(Self.cut) == .fail("no"))

        var other = Self.session(.offset(3, epoch: nil))
        _ = other.opened()
        let passing = #"{"type":"error","error":"The log could not be read: busy","code":"store"}"#
        #expect(Self.receive(&other, passing) == [.notice("The log could not be read: busy"), .close])
        guard case .again = other.lost(Self.cut) else {
            Issue.record("it gave up")
            return
        }
        _ = other.opened()
        _ = Self.receive(&other, Self.ack(3))
        #expect(
            Self.receive(&other, #"{"type":"gap","dropped":12,"after":3}"#) == [
                .notice("12 events were not received: this reader is too slow")
            ])
    }

    @Test(arguments: [400, 401, 403, 404, 408, 421, 426, 429, 500, 502, 503])
    func `a server that refuses is asked again if it was there before and the refusal may pass`(status: Int) {
        let loss = TailSession.Loss.refused(status: status, retryAfter: nil, message: "answered \(status)")
        var fresh = Self.session()
        #expect(fresh.lost(loss) == .fail("answered \(status)"))
        var known = Self.session()
        _ = known.opened()
        _ = known.lost(Self.cut)
        let mayPass = [408, 429, 500, 502, 503].contains(status)
        if case .again = known.lost(loss) { #expect(mayPass) } else { #expect(!mayPass) }
    }

    @Test func `a server that was never there is an error, one that goes away is waited for, ever longer`() {
        var session = Self.session()
        #expect(session.lost(.unreachable("refused")) == .fail("cannot reach the server: refused"))
        var known = Self.session()
        _ = known.opened()
        _ = Self.receive(&known, Self.ack(0))
        var waits: [Duration] = []
        for _ in 0..<12 {
            if case .again(let wait, _) = known.lost(.unreachable("refused")) { waits.append(wait) }
        }
        #expect(waits.prefix(5) == [.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2), .seconds(4)])
        #expect(waits.dropFirst(5).allSatisfy { $0 == .seconds(5) } && waits.count == 12)
        // An event makes it hopeful again; being asked to wait is heeded, within reason.
        _ = known.opened()
        _ = Self.receive(&known, Self.event(1))
        #expect(
            known.lost(Self.cut) == .again(after: .milliseconds(250), notice: "connection lost (reset), trying again"))
        for (asked, waits) in [(3, 3), (3600, 60)] {
            let busy = TailSession.Loss.refused(status: 503, retryAfter: .seconds(asked), message: "busy")
            guard case .again(let wait, _) = known.lost(busy) else { continue }
            #expect(wait == .seconds(waits))
        }
    }

    @Test func `what makes no sense is passed over`() {
        var session = Self.session()
        _ = session.opened()
        for frame in ["", "{", "[]", "{}", #"{"type":"event"}"#, #"{"type":"ack","data":{}}"#, #"{"type":"pong"}"#] {
            #expect(Self.receive(&session, frame).isEmpty, "\(frame)")
        }
        let broken = Self.receive(&session, #"{"type":"event","offset":4,"data":{"priority":99}}"#)
        #expect(broken.count == 1)
    }
}
