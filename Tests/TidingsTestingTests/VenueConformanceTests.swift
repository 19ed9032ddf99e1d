import Testing
import TidingsTesting

@Suite struct VenueConformanceTests {
    @Test(arguments: VenueConformance.checks)
    func `the example venue keeps the rules`(_ check: VenueConformance.Check) throws {
        try check.run(on: ExampleExchange())
    }

    @Test(arguments: VenueFault.allCases)
    func `a session that does something wrong is found out`(_ fault: VenueFault) {
        let failures = VenueConformance.failures(of: ExampleExchange(venue: FaultyVenue(fault)))
        #expect(failures.contains { $0.check == fault.check }, "\(fault): \(failures)")
    }
}
