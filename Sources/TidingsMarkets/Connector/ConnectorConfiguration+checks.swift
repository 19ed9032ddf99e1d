extension ConnectorConfiguration {
    /// Whether the addresses can be used: ``endpoint``, ``rest`` and ``proxy``. The message begins with the field's name.
    package func checkAddresses() throws(ConnectorError) {
        let venue: any Venue
        switch self.venue {
        case .named(let name): venue = try Venues.named(name)
        case .value(let value): venue = value
        }
        let addresses = try ConnectorAddresses(self, venue)
        try VenueHTTP.check(rest: addresses.rest)
    }
}
