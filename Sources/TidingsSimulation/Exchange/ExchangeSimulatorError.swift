/// Why a simulated exchange could not be set up, in words that name the flag, the file or the address.
public struct ExchangeSimulatorError: Error, Sendable {
    /// A stable word for programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// No simulator for a venue of that name.
        public static let unknownVenue = Code(rawValue: "unknown_venue")
        /// The recording cannot be read, is damaged, or is another venue's.
        public static let invalidRecording = Code(rawValue: "invalid_recording")
        /// A fault that is not `KIND@SECONDS`.
        public static let invalidFault = Code(rawValue: "invalid_fault")
        /// A speed that is neither `max` nor a number above zero.
        public static let invalidSpeed = Code(rawValue: "invalid_speed")
        /// The address is taken, or not one of this machine.
        public static let cannotListen = Code(rawValue: "cannot_listen")
        /// `start` was called on a simulator that runs.
        public static let alreadyRunning = Code(rawValue: "already_running")
    }

    public let code: Code
    public let message: String
    public let underlying: (any Error)?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }
}

extension ExchangeSimulatorError: CustomStringConvertible {
    public var description: String { self.message }
}
