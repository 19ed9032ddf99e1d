/// Names as they were given, and the instruments they are.
struct SymbolResolution: Sendable, Equatable {
    var instruments: [Instrument] = []
    /// Names that are no instrument.
    var unknown: [String] = []

    /// What names in either spelling and any case are by a venue's list.
    init(_ names: [String], of venue: any Venue, in list: [Instrument]) {
        // Where several share a spelling the first counts.
        var exact: [String: Instrument] = [:]
        var folded: [String: Instrument] = [:]
        var symbols: [String: Instrument] = [:]
        for instrument in list {
            if exact[instrument.venueSymbol] == nil { exact[instrument.venueSymbol] = instrument }
            let (capitals, symbol) = (instrument.venueSymbol.uppercased(), instrument.symbol.uppercased())
            if folded[capitals] == nil { folded[capitals] = instrument }
            if symbols[symbol] == nil { symbols[symbol] = instrument }
        }
        for name in names {
            let capitals = name.uppercased()
            let known = exact[name] ?? symbols[capitals] ?? folded[capitals]
            // Other ways to say it that the venue understands, such as Kraken's XBT.
            let meant = venue.instrument(named: name)
            let found = known ?? meant.flatMap { exact[$0.venueSymbol] ?? symbols[$0.symbol.uppercased()] }
            self.add(found, name)
        }
    }

    /// What names are as far as the venue's spelling alone says so.
    init(_ names: [String], withoutListOf venue: any Venue) {
        for name in names { self.add(venue.instrument(named: name), name) }
    }

    private mutating func add(_ instrument: Instrument?, _ name: String) {
        guard let instrument else {
            self.unknown.append(name)
            return
        }
        let isKnown = self.instruments.contains {
            $0.symbol == instrument.symbol || $0.venueSymbol == instrument.venueSymbol
        }
        if !isKnown { self.instruments.append(instrument) }
    }
}
