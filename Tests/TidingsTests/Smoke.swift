import Testing
@testable import Tidings
@Test func smoke() throws {
  let e = try StandardEvent(json: #"{"event_type":"trade","payload":{"symbol":"BTC-USD", "price":50000.00,"x":[1,{"a":"\u00e9"}]},"priority":"3","foo":[1, 2]}"#, defaults: .init(source: "cli"))
  print(e.json); print(e.payload["price"] as Any)
  let t = StandardEvent(eventType: .trade, source: "x", payload: .trade(Trade(symbol: "A-B", price: ExactDecimal("0.0010")!, volume: ExactDecimal("-12.50")!, timestamp: Timestamp("2024-01-15T10:30:00Z"), side: .buy, tradeID: TradeID(12))))
  print(t.json)
}
