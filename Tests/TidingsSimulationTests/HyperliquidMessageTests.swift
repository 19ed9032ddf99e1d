import Testing

@testable import Tidings
@testable import TidingsSimulation

@Suite struct HyperliquidMessageTests {
    private let venue = HyperliquidVenue()

    private func answer(_ message: String, _ subscriptions: inout Set<Topic>) -> [String] {
        let replies = message.withRawUTF8 { bytes in
            self.venue.answer(bytes, subscriptions: &subscriptions, knows: { $0 == "BTC" })
        }
        return replies.map { reply in
            switch reply {
            case .frame(let bytes), .acknowledgement(_, let bytes), .acknowledgements(_, let bytes):
                String(decoding: bytes, as: UTF8.self)
            case .begin: ""
            }
        }
    }

    @Test func `subscribing is acknowledged with the subscription as it was sent`() {
        var topics: Set<Topic> = []
        let answer = self.answer(
            #"{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","nSigFigs":5,"mantissa":2}}"#, &topics)
        let expected =
            #"{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":"#
            + #"{"type":"l2Book","coin":"BTC","nSigFigs":5,"mantissa":2}}}"#
        #expect(answer == [expected])
        #expect(topics == [Topic("l2Book", "BTC")])
    }

    @Test func `unsubscribing is acknowledged, and not twice`() {
        var topics: Set<Topic> = [Topic("candle", "BTC", "1m"), Topic("allMids")]
        let message = #"{"method":"unsubscribe","subscription":{"type":"candle","coin":"BTC","interval":"1m"}}"#
        #expect(self.answer(message, &topics).first?.contains(#""method":"unsubscribe""#) == true)
        #expect(topics == [Topic("allMids")])
        #expect(self.answer(message, &topics).first?.hasPrefix(#"{"channel":"error","data":"Already un"#) == true)
    }

    @Test func `a ping is answered`() {
        var topics: Set<Topic> = []
        #expect(self.answer(#"{"method":"ping"}"#, &topics) == [#"{"channel":"pong"}"#])
    }

    @Test(arguments: [
        "", "hello", "[]", "{}", #"{"method":"subscribe"}"#, #"{"method":"dance","subscription":{}}"#,
        #"{"method":"subscribe","subscription":{"type":"trades"}}"#,
        #"{"method":"subscribe","subscription":{"type":"trades","coin":"DOGE"}}"#,
        #"{"method":"subscribe","subscription":{"type":"userFills","user":"0x0"}}"#,
        #"{"method":"subscribe","subscription":{"type":"candle","coin":"BTC","interval":"2m"}}"#,
        #"{"method":"subscribe","subscription":{"type":"candle","coin":"BTC"}}"#,
        #"{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","nSigFigs":6}}"#,
        #"{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","mantissa":2}}"#,
    ])
    func `what cannot be done is answered with an error that is whole JSON`(message: String) throws {
        var topics: Set<Topic> = []
        let answers = self.answer(message, &topics)
        #expect(answers.count == 1)
        let object = try JSONObject(json: answers.first ?? "")
        #expect(object["channel"] == "error")
        #expect(object["data"]?.string?.isEmpty == false)
        #expect(topics.isEmpty)
    }

    @Test(arguments: [
        (#"{"channel":"trades","data":[{"coin":"BTC","px":"1"}]}"#, FrameRole.data(Topic("trades", "BTC"))),
        (#"{"data":{"time":1,"coin":"ETH","levels":[[],[]]},"channel":"l2Book"}"#, .data(Topic("l2Book", "ETH"))),
        (#"{"channel":"bbo","data":{"coin":"SOL","time":1,"bbo":[null,null]}}"#, .data(Topic("bbo", "SOL"))),
        (#"{"channel":"candle","data":{"t":1,"s":"BTC","i":"5m"}}"#, .data(Topic("candle", "BTC", "5m"))),
        (#"{"channel":"candle","data":[{"t":1,"s":"BTC","i":"1h"}]}"#, .data(Topic("candle", "BTC", "1h"))),
        (#"{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{}}}"#, .data(Topic("activeAssetCtx", "BTC"))),
        (#"{"channel":"activeSpotAssetCtx","data":{"coin":"@1","ctx":{}}}"#, .data(Topic("activeAssetCtx", "@1"))),
        (#"{"channel":"allMids","data":{"mids":{}}}"#, .data(Topic("allMids"))),
        (#"{"channel":"pong"}"#, .answer),
        (#"{"channel":"trades","data":[]}"#, .everyone),
        (#"{"channel":"news","data":{"coin":"BTC"}}"#, .everyone),
        ("Websocket connection established.", .everyone), ("", .everyone), ("{", .everyone),
        (
            #"{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":"#
                + #"{"type":"trades","coin":"BTC"}}}"#, .acknowledgement([Topic("trades", "BTC")])
        ),
        (#"{"channel":"subscriptionResponse","data":{"method":"unsubscribe"}}"#, .answer),
    ])
    func `a recorded frame is known for what it is`(text: String, role: FrameRole) {
        #expect(text.withRawUTF8 { self.venue.role(of: $0) } == role)
    }
}
