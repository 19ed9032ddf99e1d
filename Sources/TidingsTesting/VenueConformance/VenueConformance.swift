import Tidings
import TidingsMarkets

/// What every venue's session has to do, as checks that anyone who adds a venue runs against it.
///
/// ```swift
/// @Test(arguments: VenueConformance.checks)
/// func `the venue keeps the rules`(_ check: VenueConformance.Check) throws {
///     try check.run(on: MyExchange())
/// }
/// ```
/// Each check lets a fresh session talk to a copy of the given exchange, in memory and in no time.
public enum VenueConformance {
    /// One thing that every venue has to do, named by a sentence.
    public struct Check: Sendable, Identifiable, CustomStringConvertible {
        public let name: String
        private let needs: VenueAbilities
        private let body: @Sendable (any VenueExchange) throws -> Void

        init(
            _ name: String, needs: VenueAbilities = [],
            _ body: @escaping @Sendable (any VenueExchange) throws -> Void
        ) {
            self.name = name
            self.needs = needs
            self.body = body
        }

        public var id: String { self.name }
        public var description: String { self.name }

        /// Runs the check; throws a ``ConformanceFailure`` that says what the session did. A check of something that the
        /// exchange does not declare passes.
        public func run(on exchange: any VenueExchange) throws {
            guard exchange.abilities.isSuperset(of: self.needs) else { return }
            do {
                try self.body(exchange)
            } catch let failure as ConformanceFailure {
                throw ConformanceFailure(failure.message, check: self.name)
            } catch {
                throw ConformanceFailure("threw \(error)", check: self.name)
            }
        }
    }

    public static let checks: [Check] =
        Self.names + Self.subscriptions + Self.trades + Self.books + Self.tickers + Self.connections + Self.garbage

    /// Runs every check and returns what failed; for those without a test framework.
    public static func failures(of exchange: any VenueExchange) -> [ConformanceFailure] {
        Self.checks.compactMap { check in
            do {
                try check.run(on: exchange)
                return nil
            } catch {
                return error as? ConformanceFailure ?? ConformanceFailure("\(error)", check: check.name)
            }
        }
    }

    // MARK: Expecting

    static func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw ConformanceFailure(message()) }
    }

    static func expectEqual<Value: Equatable>(
        _ found: Value, _ wanted: Value, _ what: @autoclosure () -> String
    ) throws {
        if found != wanted { throw ConformanceFailure("\(what()): \(found) instead of \(wanted)") }
    }

    /// A session that is connected, with a book for every instrument.
    static func running(
        _ exchange: any VenueExchange, channels: [MarketChannel] = MarketChannel.standard, book: BookPlan = BookPlan()
    ) throws -> VenueRun {
        var run = VenueRun(exchange, channels: channels, book: book)
        for instrument in exchange.instruments.indices {
            _ = run.frames(of: .book(instrument: instrument, changes: Self.firstBook, at: run.now))
        }
        try run.connect()
        for instrument in exchange.instruments.indices {
            try run.book(instrument, [SampleLevel(.bid, "99.90", "3.000"), SampleLevel(.ask, "100.10", "2.500")])
        }
        return run
    }

    static let firstBook = (0..<5).flatMap { step in
        [SampleLevel(.bid, "99.\(8 - step)0", "1.\(step)00"), SampleLevel(.ask, "100.\(2 + step)0", "2.\(step)00")]
    }
}
