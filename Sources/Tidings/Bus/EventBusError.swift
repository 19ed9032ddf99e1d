/// Why a bus did not do what it was asked to.
public struct EventBusError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A subscription that its publishers wait for has no room.
        public static let full = Code(rawValue: "full")
        /// The bus is stopping or stopped.
        public static let stopped = Code(rawValue: "stopped")
        /// Waiting would be for ever: the publisher is a handler of the subscription that has no room.
        public static let wouldDeadlock = Code(rawValue: "would_deadlock")
        /// The log could not take the event.
        public static let store = Code(rawValue: "store")
        /// It would close a circle of causes, or follow from more than 32 others; the message names the chain.
        public static let circular = Code(rawValue: "circular")
        /// The event was judged unfit; the message says why.
        public static let refused = Code(rawValue: "refused")
        /// The other side cannot be reached.
        public static let disconnected = Code(rawValue: "disconnected")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
