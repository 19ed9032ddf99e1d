import Testing
import Tidings

@testable import TidingsCommand

@Suite struct ProcessorConfigurationTests {
    private static func read(_ yaml: String) -> (configuration: RunConfiguration, problems: [String]) {
        var reader = YAMLReader(file: "tidings.yaml")
        let configuration = RunConfiguration(yaml: yaml, directory: "", &reader)
        return (configuration, reader.problems.map { "\($0.line): \($0.field): \($0.message)" })
    }

    private static func intervals(_ texts: String...) -> [CandleInterval] { texts.compactMap { CandleInterval($0) } }

    @Test func `the contract's example is read`() {
        let (configuration, problems) = Self.read(
            """
            processors:
              - validate: {}                     # before the log: a rejected event is not stored, an error event is
              - candles: {intervals: [1m, 5m], late: 2s}
              - price_alert: {symbols: [BTC-USD], change: 5%, window: 1m}
            """)
        #expect(problems.isEmpty)
        #expect(configuration.ingress.steps == [.validate(ValidationRules())])
        #expect(
            configuration.processors == [
                .candles(CandleConfiguration(intervals: Self.intervals("1m", "5m")), .type(.trade)),
                .priceAlert(change: 5, window: .seconds(60), EventFilter(types: ["trade"], symbols: ["BTC-USD"])),
            ])
    }

    @Test func `every setting is read`() {
        let (configuration, problems) = Self.read(
            """
            processors:
              - validate:
                  symbols: [BTC-*]
                  price: {min: 0.01}
                  volume: {max: 1000}
                  bounds: {BTC-USD: {price: {min: 20000, max: 200000.5}}}
                  crossed: reject
              - dedupe: {by: [source, trade_id], types: [trade], window: 1000}
              - throttle: {types: ticker, every: 500ms, sources: kraken}
              - conflate: {types: [ticker, "x.*"], every: 1s, symbols: ETH-USD}
              - candles: {intervals: 15s, late: 1s, late_policy: amend, updates: none, symbols: [BTC-USD], sources: [binance]}
              - vwap: {window: 5m, updates: 2s, digits: 4}
              - price_alert: {change: 0.5%, window: 90s}
              - vwap: {window: 1h}
            """)
        #expect(problems.isEmpty)
        var rules = ValidationRules()
        rules.symbols = ["BTC-*"]
        rules.bounds.price.minimum = ExactDecimal("0.01")
        rules.bounds.volume.maximum = 1000
        rules.boundsBySymbol["BTC-USD"] = .init(price: .init(minimum: 20_000, maximum: ExactDecimal("200000.5")))
        rules.refusesCrossed = true
        #expect(
            configuration.ingress.steps == [
                .validate(rules), .dedupe(fields: ["source", "trade_id"], EventFilter(types: ["trade"]), window: 1000),
                .throttle(EventFilter(types: ["ticker"], sources: ["kraken"]), every: .milliseconds(500)),
                .conflate(EventFilter(types: ["ticker", "x.*"], symbols: ["ETH-USD"]), every: .seconds(1)),
            ])
        var candles = CandleConfiguration(intervals: Self.intervals("15s"))
        candles.late = .seconds(1)
        candles.latePolicy = .amend
        candles.updates = nil
        #expect(
            configuration.processors == [
                .candles(candles, EventFilter(types: ["trade"], symbols: ["BTC-USD"], sources: ["binance"])),
                .vwap(window: .seconds(300), updates: .seconds(2), digits: 4, .type(.trade)),
                .priceAlert(change: 0.5, window: .seconds(90), .type(.trade)),
                .vwap(window: .seconds(3600), updates: .seconds(1), digits: 8, .type(.trade)),
            ])
        let bus = MemoryEventBus()
        let (chain, conflating) = configuration.ingress.chain(byteLimit: 1 << 20)
        let processors = Processors(configuration.processors, ingress: chain, conflating: conflating, bus: bus)
        #expect(
            processors.snapshots.map(\.name) == [
                "validate", "dedupe", "throttle", "conflate", "candles", "vwap", "price_alert", "vwap 2",
            ])
    }

    @Test(arguments: [
        ("candles: {}", "candles.intervals", "must name at least one interval"),
        (
            "candles: {intervals: [1m, 1x]}", "candles.intervals[1]",
            "must be an interval such as 1s, 5m, 4h, 1d or 1w, was '1x'"
        ),
        ("candles: {intervals: 1M}", "candles.intervals", "must be an interval such as 1s, 5m, 4h, 1d or 1w, was '1M'"),
        ("candles: {intervals: [60s, 1m]}", "candles.intervals[1]", "stands twice: '1m' is '60s'"),
        ("candles: {intervals: [1s], late: 65s}", "candles.late", "must be at most 64 times the shortest interval, 1s"),
        (
            "candles: {intervals: [1m], late: soon}", "candles.late",
            "must be a duration such as 500ms, 30s, 5m, 2h or 7d, was 'soon'"
        ),
        (
            "candles: {intervals: [1m], late_policy: keep}", "candles.late_policy",
            "must be one of drop, amend, was 'keep'"
        ),
        ("candles: {interval: [1m]}", "candles.interval", "unknown setting; did you mean 'intervals'?"),
        ("price_alert: {window: 1m}", "price_alert.change", "is required"),
        (
            "price_alert: {change: 5, window: 1m}", "price_alert.change",
            "must be a percentage above 0 such as 5%, was '5'"
        ),
        (
            "price_alert: {change: 0%, window: 1m}", "price_alert.change",
            "must be a percentage above 0 such as 5%, was '0%'"
        ),
        ("price_alert: {change: 5%}", "price_alert.window", "is required"),
        ("price_alert: {change: 5%, window: 0s}", "price_alert.window", "must be longer than nothing"),
        ("vwap: {}", "vwap.window", "is required"), ("throttle: {every: 1s}", "throttle.types", "is required"),
        ("conflate: {types: ticker}", "conflate.every", "is required"),
        ("dedupe: {}", "dedupe.by", "must name at least one field"),
        (
            "throttle: {types: a*b, every: 1s}", "throttle.types",
            "must be a type or a pattern such as login.*, was 'a*b'"
        ),
        ("validate: {price: {min: much}}", "validate.price.min", "must be a number, was 'much'"),
        ("validate: {price: {min: 2, max: 1}}", "validate.price", "min is above max"),
        ("validate: {crossed: maybe}", "validate.crossed", "must be one of allow, reject, was 'maybe'"),
        (
            "validate: {bounds: {A: {prize: {min: 1}}}}", "validate.bounds.A.prize",
            "unknown setting; did you mean 'price'?"
        ),
        ("candle: {}", "candle", "unknown setting; did you mean 'candles'?"),
    ])
    func `what is wrong is named with its line`(yaml: String, field: String, message: String) {
        let problems = Self.read("listen: 127.0.0.1:0\nprocessors:\n  - \(yaml)\n").problems
        #expect(problems.contains("3: processors[0].\(field): \(message)"), "\(problems)")
    }

    @Test func `a list of nothing is reported`() {
        #expect(Self.read("processors: 3").problems == ["1: processors: must be a list"])
        let empty = Self.read("processors:\n  - {}").problems
        #expect(
            empty == [
                "2: processors[0]: names no processor; there are: validate, dedupe, throttle, conflate, candles, vwap, price_alert"
            ])
    }
}
