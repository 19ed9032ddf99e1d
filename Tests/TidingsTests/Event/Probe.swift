import Testing
@testable import Tidings

@Test func probe() {
    print(EventType.trade.rawValue, EventType.workflowError.rawValue, TradeID("-0"), EventID("é")! == EventID("e\u{301}")!)
}
