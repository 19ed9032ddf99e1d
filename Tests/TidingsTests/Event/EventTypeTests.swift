import Testing

@testable import Tidings

@Suite struct EventTypeTests {
    @Test func `the known types have the names of the contract`() {
        let names: [(EventType, String)] = [
            (.trade, "trade"), (.ticker, "ticker"), (.orderBook, "order_book"), (.ohlcv, "ohlcv"),
            (.connectorStatus, "connector_status"), (.heartbeat, "heartbeat"), (.error, "error"), (.custom, "custom"),
            (.funding, "funding"), (.openInterest, "open_interest"), (.priceAlert, "price_alert"),
            (.extractionStart, "extraction.start"), (.extractionFieldFound, "extraction.field_found"),
            (.extractionComplete, "extraction.complete"), (.extractionError, "extraction.error"),
            (.loginStart, "login.start"), (.loginSuccess, "login.success"), (.loginFailed, "login.failed"),
            (.loginCaptchaDetected, "login.captcha_detected"), (.selectorAttempt, "selector.attempt"),
            (.selectorFound, "selector.found"), (.selectorNotFound, "selector.not_found"),
            (.selectorTimeout, "selector.timeout"), (.workflowStart, "workflow.start"),
            (.workflowStep, "workflow.step"),
            (.workflowComplete, "workflow.complete"), (.workflowError, "workflow.error"),
        ]
        for (type, name) in names {
            #expect(type.rawValue == name)
            #expect(EventType(name) == type)
            #expect("\(type)" == name)
        }
        #expect(Set(names.map(\.0)).count == names.count)
    }

    @Test func `types differ by case`() {
        #expect(EventType.init("Trade") != .trade)
        #expect(EventType.init("TRADE") != .trade)
    }

    @Test func `a type beyond the table is a type like any other`() throws {
        // Held as text, as it would be once 4,096 types are known.
        let plain = String(repeating: "t", count: 128)
        let type = try #require(EventType(plain))
        #expect(type.rawValue == plain)
        #expect(type == EventType(plain))
        #expect(EventType(plain + "t") == nil)
        #expect(EventType.init("") == nil)
    }
}
