import Testing
import TidingsSimulation

@Suite struct FaultTests {
    @Test(arguments: Fault.Kind.allCases)
    func `a fault is read as it is written`(kind: Fault.Kind) throws {
        #expect(try Fault("\(kind.rawValue)@2.5") == Fault(kind, at: .milliseconds(2500)))
        #expect(Fault(kind, at: .milliseconds(2500)).description == "\(kind.rawValue)@2.5")
    }

    @Test(arguments: [
        ("drop", "expected KIND@SECONDS"), ("explode@3", "unknown kind 'explode', known are drop, 429, garbage"),
        ("drop@soon", "'soon' is not a number of seconds"), ("drop@-1", "'-1' is not a number"), ("drop@", "''"),
        ("drop@1e400", "is not a number"), ("drop@99999999999999999999", "is not a number"),
    ])
    func `a fault that is none is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: ExchangeSimulatorError.self) { try Fault(text) }
        #expect(error?.code == .invalidFault)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test func `a speed is max or a number above zero`() throws {
        #expect(try PlaybackSpeed("max") == .max)
        #expect(try PlaybackSpeed("2.5") == .times(2.5))
        for text in ["0", "-1", "fast", "", "nan", "1e400"] {
            #expect(throws: ExchangeSimulatorError.self) { try PlaybackSpeed(text) }
        }
    }
}
