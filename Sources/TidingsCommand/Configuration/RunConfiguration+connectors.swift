import Tidings
import TidingsMarkets
import Yams

extension RunConfiguration {
    /// What is collected from one venue.
    struct Connector: Sendable, Equatable {
        var venue: String
        var symbols: [String]
        var channels: [MarketChannel]?
        var book: BookPlan?
        var endpoint: String?
        var rest: String?
        var staleAfter: Duration?
        var proxy: String?
        /// Where raw frames are written.
        var recordingDirectory: String?
    }

    /// As many levels of a side as a book event may have.
    private static let deepestBook = 5000

    mutating func readConnectors(_ node: Node?, _ directory: String, _ reader: inout YAMLReader) {
        guard let node else { return }
        guard let sequence = node.sequence else { return reader.report(node, "connectors", "must be a list") }
        for (index, element) in sequence.enumerated() {
            let path = "connectors[\(index)]"
            guard let mapping = reader.mapping(element, path) else { continue }
            reader.expect(
                mapping, in: path,
                only: [
                    "venue", "symbols", "channels", "order_book", "endpoint", "rest", "stale_after", "proxy", "record",
                ])
            guard let venue = reader.text(mapping["venue"], "\(path).venue") else {
                if mapping["venue"] == nil { reader.report(element, "\(path).venue", "is required") }
                continue
            }
            guard let symbols = reader.texts(mapping["symbols"], "\(path).symbols"), !symbols.isEmpty else {
                reader.report(mapping["symbols"] ?? element, "\(path).symbols", "must name at least one symbol")
                continue
            }
            var connector = Connector(venue: venue, symbols: symbols)
            do throws(ConnectorError) {
                try connector.check()
            } catch {
                let field = error.code == .unknownVenue ? "venue" : "symbols"
                reader.report(mapping[field] ?? element, "\(path).\(field)", error.message)
            }
            connector.channels = Self.channels(mapping["channels"], "\(path).channels", &reader)
            connector.book = Self.book(mapping["order_book"], "\(path).order_book", &reader)
            connector.readAddresses(mapping, path, &reader)
            connector.staleAfter = reader.duration(mapping["stale_after"], "\(path).stale_after")
            if let node = mapping["stale_after"], connector.staleAfter == .zero {
                reader.report(node, "\(path).stale_after", "must be more than zero")
            }
            connector.recordingDirectory = reader.text(mapping["record"], "\(path).record").map {
                Self.resolve($0, directory)
            }
            self.connectors.append(connector)
        }
    }

    private static func channels(_ node: Node?, _ path: String, _ reader: inout YAMLReader) -> [MarketChannel]? {
        guard let node, let names = reader.texts(node, path) else { return nil }
        var channels: [MarketChannel] = []
        for name in names {
            guard let channel = MarketChannel(rawValue: name) else {
                let known = MarketChannel.allCases.map(\.rawValue).joined(separator: ", ")
                reader.report(node, path, "'\(name)' is no channel; there are: \(known)")
                continue
            }
            if !channels.contains(channel) { channels.append(channel) }
        }
        return channels
    }

    private static func book(_ node: Node?, _ path: String, _ reader: inout YAMLReader) -> BookPlan? {
        guard let mapping = reader.mapping(node, path) else { return nil }
        reader.expect(mapping, in: path, only: ["depth", "kind", "every"])
        var book = BookPlan()
        book.depth = reader.count(mapping["depth"], "\(path).depth", in: 1...Self.deepestBook) ?? book.depth
        book.kind = reader.choice(mapping["kind"], "\(path).kind", of: OrderBook.Kind.self) ?? book.kind
        book.interval = reader.duration(mapping["every"], "\(path).every") ?? book.interval
        return book
    }
}

extension RunConfiguration.Connector {
    fileprivate mutating func readAddresses(_ mapping: Node.Mapping, _ path: String, _ reader: inout YAMLReader) {
        let fields: [(name: String, place: WritableKeyPath<Self, String?>)] = [
            ("endpoint", \.endpoint), ("rest", \.rest), ("proxy", \.proxy),
        ]
        for (name, place) in fields {
            guard let node = mapping[name], let text = reader.text(node, "\(path).\(name)") else { continue }
            self[keyPath: place] = text
            // By itself, so that what is wrong is told where it stands.
            var alone = Self(venue: self.venue, symbols: self.symbols)
            alone[keyPath: place] = text
            do throws(ConnectorError) {
                try alone.settings.checkAddresses()
            } catch {
                // Of a venue that there is not, that is told already.
                guard error.code != .unknownVenue else { continue }
                reader.report(node, "\(path).\(name)", error.message(withoutField: name))
            }
        }
    }

    /// Whether the venue exists and the symbols can be any of its. A name of letters and digits alone may be the venue's own
    /// spelling, which only its list can tell.
    func check() throws(ConnectorError) {
        let venue = try Venues.named(self.venue)
        for symbol in self.symbols where venue.instrument(named: symbol) == nil {
            let isPlain = symbol.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
            guard isPlain, (1...32).contains(symbol.utf8.count) else {
                throw ConnectorError(.unknownSymbol, "'\(symbol)' is no symbol of \(venue.name)")
            }
        }
    }

    /// The connector's own configuration.
    var settings: ConnectorConfiguration {
        var configuration = ConnectorConfiguration(venue: self.venue, symbols: self.symbols, endpoint: self.endpoint)
        if let channels = self.channels { configuration.channels = channels }
        if let book = self.book { configuration.book = book }
        if let staleAfter = self.staleAfter { configuration.staleAfter = staleAfter }
        configuration.rest = self.rest
        configuration.proxy = self.proxy
        configuration.recordingDirectory = self.recordingDirectory
        return configuration
    }
}

extension ConnectorError {
    /// What is wrong with a field, for those who name the field themselves.
    func message(withoutField name: String) -> String {
        let beginning = "\(name): "
        return self.message.hasPrefix(beginning) ? String(self.message.dropFirst(beginning.count)) : self.message
    }
}
