import Tidings
import Yams

extension RunConfiguration {
    /// A processor that makes events out of others, behind the bus.
    enum Deriving: Sendable, Equatable {
        case candles(CandleConfiguration, EventFilter)
        case vwap(window: Duration, updates: Duration, digits: Int, EventFilter)
        case priceAlert(change: ExactDecimal, window: Duration, EventFilter)

        /// What it is called where it has no other of its kind before it.
        var name: String {
            switch self {
            case .candles: "candles"
            case .vwap: "vwap"
            case .priceAlert: "price_alert"
            }
        }
    }

    private static let processorKinds = [
        "validate", "dedupe", "throttle", "conflate", "candles", "vwap", "price_alert",
    ]

    /// Reads `processors`: a list whose elements each name one kind of processor.
    mutating func readProcessors(_ node: Node?, _ reader: inout YAMLReader) {
        guard let node else { return }
        guard let sequence = node.sequence else { return reader.report(node, "processors", "must be a list") }
        for (index, element) in sequence.enumerated() {
            let path = "processors[\(index)]"
            guard let processor = reader.mapping(element, path) else { continue }
            reader.expect(processor, in: path, only: Self.processorKinds)
            if processor.isEmpty {
                let kinds = Self.processorKinds.joined(separator: ", ")
                reader.report(element, path, "names no processor; there are: \(kinds)")
            }
            for (key, node) in processor {
                guard let kind = key.string, Self.processorKinds.contains(kind) else { continue }
                self.readProcessor(kind, node, "\(path).\(kind)", &reader)
            }
        }
    }

    private mutating func readProcessor(_ kind: String, _ node: Node, _ path: String, _ reader: inout YAMLReader) {
        guard let settings = reader.mapping(node, path) else { return }
        let problems = reader.problems.count
        switch kind {
        case "validate":
            self.ingress.steps.append(.validate(reader.validationRules(settings, path)))
        case "dedupe":
            reader.expect(settings, in: path, only: ["by", "window"] + YAMLReader.filterNames)
            let fields = reader.texts(settings["by"], "\(path).by") ?? []
            if fields.isEmpty, reader.problems.count == problems {
                reader.report(settings["by"] ?? node, "\(path).by", "must name at least one field")
            }
            self.ingress.steps.append(
                .dedupe(
                    fields: fields, reader.filter(settings, path),
                    window: reader.count(settings["window"], "\(path).window", in: 1...10_000_000) ?? 65_536))
        case "throttle", "conflate":
            reader.expect(settings, in: path, only: ["every"] + YAMLReader.filterNames)
            let every = reader.required(settings, node, "every", path)
            if settings["types"] == nil { reader.report(node, "\(path).types", "is required") }
            let filter = reader.filter(settings, path)
            guard let every else { return }
            self.ingress.steps.append(
                kind == "throttle" ? .throttle(filter, every: every) : .conflate(filter, every: every))
        case "candles":
            if let processor = reader.candles(settings, node, path) { self.processors.append(processor) }
        case "vwap":
            reader.expect(settings, in: path, only: ["window", "updates", "digits"] + YAMLReader.tradeFilterNames)
            let window = reader.required(settings, node, "window", path)
            let updates = reader.duration(settings["updates"], "\(path).updates") ?? .seconds(1)
            let digits = reader.count(settings["digits"], "\(path).digits", in: 0...30) ?? 8
            let filter = reader.tradeFilter(settings, path)
            if let window {
                self.processors.append(.vwap(window: window, updates: updates, digits: digits, filter))
            }
        default:
            reader.expect(settings, in: path, only: ["change", "window"] + YAMLReader.tradeFilterNames)
            let window = reader.required(settings, node, "window", path)
            let change = reader.percentage(settings, node, "change", path)
            let filter = reader.tradeFilter(settings, path)
            if let window, let change {
                self.processors.append(.priceAlert(change: change, window: window, filter))
            }
        }
    }
}

extension YAMLReader {
    fileprivate static let filterNames = ["types", "symbols", "sources"]
    fileprivate static let tradeFilterNames = ["symbols", "sources"]

    /// The filter that `types`, `symbols` and `sources` make.
    fileprivate mutating func filter(_ settings: Node.Mapping, _ path: String) -> EventFilter {
        var types: [EventTypePattern] = []
        for text in self.texts(settings["types"], "\(path).types") ?? [] {
            if let pattern = EventTypePattern(text) {
                types.append(pattern)
            } else if let node = settings["types"] {
                self.report(node, "\(path).types", "must be a type or a pattern such as login.*, was '\(text)'")
            }
        }
        return EventFilter(
            types: types, symbols: self.texts(settings["symbols"], "\(path).symbols") ?? [],
            sources: (self.texts(settings["sources"], "\(path).sources") ?? []).map { Name($0) })
    }

    fileprivate mutating func tradeFilter(_ settings: Node.Mapping, _ path: String) -> EventFilter {
        var filter = self.filter(settings, path)
        filter.types = [.exact(.trade)]
        return filter
    }

    /// A duration above zero that has to be there.
    fileprivate mutating func required(
        _ settings: Node.Mapping, _ node: Node, _ name: String, _ path: String
    ) -> Duration? {
        guard let value = settings[Node(name)] else {
            self.report(node, "\(path).\(name)", "is required")
            return nil
        }
        guard let duration = self.duration(value, "\(path).\(name)") else { return nil }
        if duration > .zero { return duration }
        self.report(value, "\(path).\(name)", "must be longer than nothing")
        return nil
    }

    /// Such as `5%` or `0.25%`.
    fileprivate mutating func percentage(
        _ settings: Node.Mapping, _ node: Node, _ name: String, _ path: String
    ) -> ExactDecimal? {
        guard let value = settings[Node(name)] else {
            self.report(node, "\(path).\(name)", "is required")
            return nil
        }
        guard let text = self.text(value, "\(path).\(name)") else { return nil }
        if text.hasSuffix("%"), let number = ExactDecimal(String(text.dropLast())), number > .zero { return number }
        self.report(value, "\(path).\(name)", "must be a percentage above 0 such as 5%, was '\(text)'")
        return nil
    }

    fileprivate mutating func candles(
        _ settings: Node.Mapping, _ node: Node, _ path: String
    ) -> RunConfiguration.Deriving? {
        self.expect(
            settings, in: path, only: ["intervals", "late", "late_policy", "updates"] + Self.tradeFilterNames)
        let problems = self.problems.count
        var intervals: [CandleInterval] = []
        for (index, text) in (self.texts(settings["intervals"], "\(path).intervals") ?? []).enumerated() {
            let place = settings["intervals"]?.sequence?[index] ?? settings["intervals"] ?? node
            let field = settings["intervals"]?.sequence == nil ? "\(path).intervals" : "\(path).intervals[\(index)]"
            guard let interval = CandleInterval(text) else {
                self.report(place, field, "must be an interval such as 1s, 5m, 4h, 1d or 1w, was '\(text)'")
                continue
            }
            if let other = intervals.first(where: {
                $0.length == interval.length && $0.start(of: .now()) == interval.start(of: .now())
            }) {
                self.report(place, field, "stands twice: '\(text)' is '\(other)'")
                continue
            }
            intervals.append(interval)
        }
        if intervals.isEmpty, self.problems.count == problems {
            self.report(settings["intervals"] ?? node, "\(path).intervals", "must name at least one interval")
        }
        var candles = CandleConfiguration(intervals: intervals)
        if let late = self.duration(settings["late"], "\(path).late"), let place = settings["late"] {
            candles.late = late
            if let shortest = intervals.min(by: { $0.length < $1.length }),
                late > shortest.duration * CandleConfiguration.longestWait
            {
                self.report(
                    place, "\(path).late",
                    "must be at most \(CandleConfiguration.longestWait) times the shortest interval, \(shortest)")
            }
        }
        typealias Policy = CandleConfiguration.LatePolicy
        candles.latePolicy = self.choice(settings["late_policy"], "\(path).late_policy", of: Policy.self) ?? .drop
        if settings["updates"]?.string == "none" {
            candles.updates = nil
        } else if let updates = self.duration(settings["updates"], "\(path).updates") {
            candles.updates = updates
        }
        return .candles(candles, self.tradeFilter(settings, path))
    }

    // MARK: Rules

    fileprivate mutating func validationRules(_ settings: Node.Mapping, _ path: String) -> ValidationRules {
        self.expect(settings, in: path, only: ["symbols", "price", "volume", "bounds", "crossed"])
        var rules = ValidationRules()
        rules.symbols = self.texts(settings["symbols"], "\(path).symbols") ?? []
        rules.bounds = self.symbolBounds(settings, path)
        if let bounds = self.mapping(settings["bounds"], "\(path).bounds") {
            for (key, node) in bounds {
                guard let symbol = key.string else {
                    self.report(key, "\(path).bounds", "a symbol must be text")
                    continue
                }
                let field = "\(path).bounds.\(symbol)"
                guard let mapping = self.mapping(node, field) else { continue }
                self.expect(mapping, in: field, only: ["price", "volume"])
                rules.boundsBySymbol[symbol] = self.symbolBounds(mapping, field)
            }
        }
        enum Crossed: String, CaseIterable { case allow, reject }
        rules.refusesCrossed = self.choice(settings["crossed"], "\(path).crossed", of: Crossed.self) == .reject
        return rules
    }

    private mutating func symbolBounds(_ settings: Node.Mapping, _ path: String) -> ValidationRules.SymbolBounds {
        ValidationRules.SymbolBounds(
            price: self.bounds(settings["price"], "\(path).price"),
            volume: self.bounds(settings["volume"], "\(path).volume"))
    }

    private mutating func bounds(_ node: Node?, _ path: String) -> ValidationRules.Bounds {
        guard let node, let mapping = self.mapping(node, path) else { return ValidationRules.Bounds() }
        self.expect(mapping, in: path, only: ["min", "max"])
        let bounds = ValidationRules.Bounds(
            minimum: self.number(mapping["min"], "\(path).min"), maximum: self.number(mapping["max"], "\(path).max"))
        if let minimum = bounds.minimum, let maximum = bounds.maximum, minimum > maximum {
            self.report(node, path, "min is above max")
        }
        return bounds
    }

    private mutating func number(_ node: Node?, _ field: String) -> ExactDecimal? {
        guard let node, let text = self.text(node, field) else { return nil }
        if let number = ExactDecimal(text) { return number }
        self.report(node, field, "must be a number, was '\(text)'")
        return nil
    }
}
