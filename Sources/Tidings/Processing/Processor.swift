/// What has a name in counters, errors and identifiers of derived events.
public protocol NamedProcessor: Sendable {
    /// Keep it unique and unchanged: the identifiers of derived events are made of it.
    var name: String { get }
}

extension NamedProcessor {
    /// The name of the type.
    public var name: String { "\(Self.self)" }
}

/// Turns events into other events: attached to a bus as a subscriber with ``ProcessorService``, or before everybody else
/// with ``IngressChain``.
///
/// ```swift
/// struct MyProcessor: Processor {
///     func process(_ event: StandardEvent) async throws -> StandardEvent? {
///         guard event.eventType == .trade else { return nil }  // Filter out other types
///         return event
///     }
/// }
/// ```
/// As a subscriber, returning the event it was given (by its `eventID`) only passes it along its own chain and publishes
/// nothing; a different event is published with the input as its parent; `nil` ends the chain. So it cannot loop. At
/// ingress, `nil` filters the event for everybody and a returned copy replaces it.
///
/// Called from any thread, and from several at once where the subscription's concurrency says so. What it throws is a
/// failed handling: retried, and in the end a dead letter.
public protocol Processor: NamedProcessor {
    func process(_ event: StandardEvent) async throws -> StandardEvent?
}

/// Judges and changes events before the log and every subscriber, on the publisher's thread.
///
/// May be stateful: the chain makes one call after the other, under one lock, in the order of publishing. So it has to be
/// quick, and must not block or publish. An event that is published twice is seen once. `nil` filters the event for
/// everybody; a returned copy replaces it; the same event passes. What it throws refuses the event.
public protocol IngressProcessor: NamedProcessor {
    mutating func process(_ event: StandardEvent) throws -> StandardEvent?
}

/// Several processors as one: what one returns goes to the next, `nil` ends it.
public struct ProcessorChain: Processor {
    public let name: String
    private let processors: [any Processor]

    /// - Parameter name: the members' names, unless given.
    public init(_ processors: [any Processor], name: String? = nil) {
        self.processors = processors
        self.name = name ?? processors.map(\.name).joined(separator: ">")
    }

    public init(_ processors: any Processor..., name: String? = nil) {
        self.init(processors, name: name)
    }

    public func process(_ event: StandardEvent) async throws -> StandardEvent? {
        var current = event
        /// Events that were made on the way and that nobody will ever see.
        var unseen: Set<EventID> = []
        for processor in self.processors {
            guard let next = try await processor.process(current) else { return nil }
            if current.eventID != event.eventID { unseen.insert(current.eventID) }
            current = next
        }
        if let parent = current.parentEventID, parent != current.eventID, unseen.contains(parent) {
            current.parentEventID = event.eventID
        }
        return current
    }
}
