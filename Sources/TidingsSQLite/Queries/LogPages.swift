public import Tidings

/// The result of a query, a page at a time. Each page is read when it is asked for, in a snapshot of its own, so a
/// reader that takes its time holds nothing up.
public struct LogPages: AsyncSequence, Sendable {
    public typealias Element = [LoggedEvent]
    public typealias Failure = EventLogError

    private let query: LogQuery
    private let reads: LogReads

    /// A page ends with the event that passes one of these.
    static let maximumCount = 2048
    static let maximumByteCount = 4 << 20

    init(_ query: LogQuery, from reads: LogReads) {
        self.query = query
        self.reads = reads
    }

    /// The events one by one.
    public var events: LoggedEvents { LoggedEvents(pages: self) }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(query: self.query, reads: self.reads)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        /// What is still to be read; `nil` at the end.
        private var rest: LogQuery?
        private let reads: LogReads

        fileprivate init(query: LogQuery, reads: LogReads) {
            self.rest = query
            self.reads = reads
        }

        public mutating func next() async throws(EventLogError) -> [LoggedEvent]? {
            guard var query = self.rest else { return nil }
            let limit = query.limit
            query.limit = Swift.min(limit, LogPages.maximumCount)
            let page = try await self.reads.page(query, maximumByteCount: LogPages.maximumByteCount)
            guard let last = page.events.last else {
                self.rest = nil
                return nil
            }
            query.limit = limit - page.events.count
            switch query.order {
            case .ascending: query.after = last.offset
            case .descending: query.through = last.offset - 1
            }
            self.rest = page.isLast || query.limit == 0 ? nil : query
            return page.events
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EventLogError) -> [LoggedEvent]? {
            try await self.next()
        }
    }
}

/// Events of a query one by one, read a page at a time.
public struct LoggedEvents: AsyncSequence, Sendable {
    public typealias Element = LoggedEvent
    public typealias Failure = EventLogError

    let pages: LogPages

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pages: self.pages.makeAsyncIterator())
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private var pages: LogPages.AsyncIterator
        private var page: [LoggedEvent] = []
        private var index = 0

        fileprivate init(pages: LogPages.AsyncIterator) {
            self.pages = pages
        }

        public mutating func next() async throws(EventLogError) -> LoggedEvent? {
            while self.index == self.page.count {
                guard let page = try await self.pages.next() else { return nil }
                self.page = page
                self.index = 0
            }
            defer { self.index += 1 }
            return self.page[self.index]
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(EventLogError) -> LoggedEvent? {
            try await self.next()
        }
    }
}
