/// How urgent an event is: 1 to 10, lower is more urgent.
public struct EventPriority: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let rawValue: UInt8

    /// `nil` outside 1 to 10.
    public init?(_ value: Int) {
        guard (1...10).contains(value) else { return nil }
        self.rawValue = UInt8(value)
    }

    @inlinable
    @inline(__always)
    init(known value: UInt8) {
        self.rawValue = value
    }

    /// 1: errors.
    @inlinable public static var critical: EventPriority { EventPriority(known: 1) }
    /// 2: alerts.
    @inlinable public static var high: EventPriority { EventPriority(known: 2) }
    /// 5: everything that does not say otherwise.
    @inlinable public static var normal: EventPriority { EventPriority(known: 5) }
    /// 10: what may wait.
    @inlinable public static var low: EventPriority { EventPriority(known: 10) }

    @inline(__always)
    public static func < (left: EventPriority, right: EventPriority) -> Bool {
        left.rawValue < right.rawValue
    }

    public var description: String { "\(self.rawValue)" }

    /// 0 for the most urgent, 9 for the least.
    @inline(__always)
    var lane: Int { Int(self.rawValue) &- 1 }
}

extension EventPriority: ExpressibleByIntegerLiteral {
    /// For numbers in source code: anything but 1 to 10 stops the program.
    public init(integerLiteral value: Int) {
        guard let priority = EventPriority(value) else {
            preconditionFailure("a priority has to be 1...10, was \(value)")
        }
        self = priority
    }
}
