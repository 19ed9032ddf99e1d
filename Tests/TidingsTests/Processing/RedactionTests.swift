import Logging
import Testing

@testable import Tidings

@Suite struct RedactionTests {
    private let redaction = Redaction()

    /// The payload after redaction.
    private func redacted(_ payload: String, _ redaction: Redaction? = nil) throws -> String {
        let event = try StandardEvent.foreign(payload)
        return ((redaction ?? self.redaction).redact(event) ?? event).payload.description
    }

    @Test(arguments: [
        "password", "Password", "PASSWD", "secret", "client_secret", "clientSecret", "Authorization", "cookie",
        "Set-Cookie", "apiKey", "api-key", "API_KEY", "Api.Key", "__api__key__", "access_token", "refreshToken",
        "private-key", "SESSION_ID", "sessionId", "a.p-i_k.e-y",
    ])
    func `a sensitive name is recognised in any spelling`(key: String) throws {
        #expect(try self.redacted(#"{"a":1,"\#(key)":"hunter2","b":2}"#) == #"{"a":1,"\#(key)":"[redacted]","b":2}"#)
    }

    @Test(arguments: [
        "passwords", "mypassword", "pass", "secretary", "tokens", "key", "api", "session", "cookies", "authorizations",
        "price", "", "_", "pässword", "token_id",
    ])
    func `a name is compared whole`(key: String) throws {
        let payload = #"{"\#(key)":"hunter2hunter2hunter2hunter2"}"#
        #expect(try self.redacted(payload) == payload)
    }

    @Test(arguments: [
        #"pass\u0077ord"#, #"\u0070\u0061\u0073\u0073\u0077\u0064"#, #"api\u005fkey"#, #"\u0041PIKEY"#, #"api\u212aey"#,
        "api\u{212A}ey",
    ])
    func `escapes and look-alikes of a name do not get it through`(key: String) throws {
        #expect(try self.redacted(#"{"\#(key)":"hunter2"}"#) == #"{"\#(key)":"[redacted]"}"#)
    }

    @Test(arguments: [
        #""text""#, "12.50", "true", "null", "{}", "[]", #"{"a":{"b":[1,"}]"]}}"#, #"[1,[2,{"c":"\"]"}],3]"#,
        #""a\"b,}""#,
    ])
    func `a value of any kind goes`(value: String) throws {
        let expected = #"{"x":1,"deep":[{"secret":"[redacted]","y":50000.00},2]}"#
        #expect(try self.redacted(#"{"x":1,"deep":[{"secret":\#(value),"y":50000.00},2]}"#) == expected)
        #expect(try self.redacted(#"{"secret":\#(value)}"#) == #"{"secret":"[redacted]"}"#)
    }

    @Test(arguments: [
        ("abcdefghijklmnopqrstuvwxyz", true), ("eyJhbGciOiJIUzI1NiJ9.e30.abc", true), ("abcdefghijklmnopqrs", false),
        ("abcdefghijklmnopqrst", true), ("BTC", false), ("0xdAC17F958D2ee523a2206206994597C13D831ec7", false),
        ("0X" + String(repeating: "a1", count: 32), false), ("0x" + String(repeating: "g1", count: 32), true),
        (String(repeating: "9f", count: 32), false), (String(repeating: "9F", count: 20), false),
        (String(repeating: "9f", count: 16), true), ("ééééééééééééééééééé", false), ("éééééééééééééééééééé", true),
    ])
    func `a token goes only when it looks like one`(value: String, isSecret: Bool) throws {
        let payload = #"{"token":"\#(value)"}"#
        #expect(try self.redacted(payload) == (isSecret ? #"{"token":"[redacted]"}"# : payload))
    }

    @Test func `a token that is no text is looked into`() throws {
        let payload = #"{"token":{"symbol":"BTC","password":1},"TOKEN":[12345678901234567890123]}"#
        let expected = #"{"token":{"symbol":"BTC","password":"[redacted]"},"TOKEN":[12345678901234567890123]}"#
        #expect(try self.redacted(payload) == expected)
    }

    @Test func `names can be added and kept`() throws {
        let redaction = Redaction(adding: ["Social Security", "ssn", "Clé", "token"], keeping: ["COOKIE"])
        let payload = #"{"S.S.N":1,"cookie":"a=b","clé":2,"CLÉ":3,"token":"x","social security":4,"secret":5}"#
        let expected =
            #"{"S.S.N":"[redacted]","cookie":"a=b","clé":"[redacted]","CLÉ":"[redacted]","token":"[redacted]","#
            + #""social security":"[redacted]","secret":"[redacted]"}"#
        #expect(try self.redacted(payload, redaction) == expected)
        #expect(
            try self.redacted(#"{"token":"abcdefghijklmnopqrstuvwxyz"}"#, Redaction(keeping: ["token"])).contains("xyz")
        )
    }

    @Test func `what has been redacted is left alone`() throws {
        let event = try StandardEvent.foreign(
            #"{"password":"p","u":"https://a:b@h/?api_key=x","token":"abcdefghijklmnopqrstuvwxyz"}"#)
        let once = try #require(self.redaction.redact(event))
        #expect(self.redaction.redact(once) == nil)
        #expect(self.redaction.report.total == 4)
    }

    @Test func `extra keys of the envelope are redacted, identifiers and source are not`() throws {
        let json =
            #"{"event_type":"t","source":"password","correlation_id":"secret","payload":{},"apiKey":"k","x":{"passwd":[1]}}"#
        let event = try StandardEvent(json: json, defaults: EventDecodingDefaults(source: "test"))
        let redacted = try #require(self.redaction.redact(event))
        #expect(redacted.extra?.description == #"{"apiKey":"[redacted]","x":{"passwd":"[redacted]"}}"#)
        #expect(redacted.source == "password" && redacted.correlationID == EventID("secret"))
    }

    @Test func `market data is exempt, and its extra keys are not`() throws {
        let trade = Trade(symbol: "https://a:b@c", price: 1, volume: 1)
        var event = StandardEvent(eventType: .trade, source: "test", payload: .trade(trade))
        #expect(self.redaction.redact(event) == nil)
        event.extra = ["password": "p", "a": 1]
        #expect(self.redaction.redact(event)?.extra?.description == #"{"password":"[redacted]","a":1}"#)
    }

    @Test func `a symbol that holds a secret is not kept beside the text`() throws {
        let event = try StandardEvent.foreign(#"{"symbol":"https://a:b@c"}"#)
        #expect(self.redaction.redact(event)?.symbol == "https://[redacted]@c")
    }

    @Test func `any depth of nesting is read without recursion`() throws {
        let depth = 20_000
        let text =
            String(repeating: #"{"a":["#, count: depth) + #"{"secret":1}"# + String(repeating: "]}", count: depth)
        let object = text.withRawUTF8 { JSONObject(compact: $0, names: JSONObject.Names(), depth: 2 * depth + 1) }
        let event = StandardEvent(eventType: .custom, source: "test", payload: .object(object))
        let redacted = try #require(self.redaction.redact(event))
        #expect(redacted.payload.object.withUTF8 { $0.count } == text.utf8.count + 11)
    }

    @Test func `each place is counted, and said once in the log without the value`() throws {
        let lines = LogLines()
        let redaction = Redaction(logger: Logger(label: "test") { _ in lines })
        for _ in 0..<3 {
            _ = redaction.redact(try .foreign(#"{"api-key":"hunter2","u":"https://u:hunter3@h"}"#, type: "a.b"))
        }
        _ = redaction.redact(try .foreign(#"{"apiKey":"hunter2"}"#, type: "c"))
        let report = redaction.report
        #expect(report.total == 7 && report.count(of: "apikey") == 4 && report.count(of: "url") == 3)
        #expect(report.byPlace[.init(eventType: "c", key: "apikey")] == 1)
        #expect(lines.all.count == 3)
        #expect(lines.all.allSatisfy { !$0.contains("hunter") && $0.hasPrefix("info A secret was redacted") })
        #expect(
            lines.all.contains { $0.contains("tidings.redacted.key=apikey") && $0.contains("tidings.event.type=a.b") })
    }

    @Test func `the places counted are bounded, whatever types the network names`() throws {
        let redaction = Redaction(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for number in 0..<2000 {
            _ = redaction.redact(try .foreign(#"{"secret":1}"#, type: "bounded.\(number)"))
        }
        let report = redaction.report
        #expect(report.total == 2000 && report.byPlace.count == RedactionCounter.maximumPlaces + 1)
        #expect(
            report.byPlace[.init(eventType: "other", key: "secret")] == UInt64(2000 - RedactionCounter.maximumPlaces))
    }
}

extension StandardEvent {
    /// An event of a payload as another program writes it.
    static func foreign(_ payload: String, type: String = "custom") throws -> StandardEvent {
        try StandardEvent(
            json: #"{"event_type":"\#(type)","payload":\#(payload)}"#, defaults: EventDecodingDefaults(source: "test"))
    }
}

/// Keeps log lines.
struct LogLines: LogHandler {
    private let lines = Locked<[String]>([])
    var logLevel: Logger.Level = .trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    var all: [String] { self.lines.withLock { $0 } }

    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
        self.lines.withLock { $0.append("\(event.level) \(event.message) \(pairs)") }
    }
}
