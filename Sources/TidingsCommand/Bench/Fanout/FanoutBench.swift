import Tidings

/// `tidings bench fanout`: events published on the bus, committed, and read by WebSocket clients, beside a server of bare
/// sockets that sends the same bytes. Server, reference and clients are processes of their own.
enum FanoutBench {
    static func all() throws -> [any BenchSubject] {
        #if os(Linux)
        return [
            FanoutFigure("paced-100", FanoutPlan(clients: 100), .paced(1000)),
            FanoutFigure("paced-1000", FanoutPlan(clients: 1000), .paced(100)),
            FanoutFigure("burst-100", FanoutPlan(clients: 100), .burst(16)),
            FanoutFigure("burst-1000", FanoutPlan(clients: 1000), .burst(16)),
            FanoutFigure("burst-filters-100", FanoutPlan(clients: 1000, filters: 100), .burst(16)),
            FanoutLatency(name: "latency-p99", plan: FanoutPlan(clients: 1000), rate: 100),
            IdleFigure(name: "idle-10000", plan: FanoutPlan(clients: 10_000)),
        ]
        #else
        throw CommandError("bench fanout: needs Linux (epoll)")
        #endif
    }

    static let reference = "bare sockets, one frame made beforehand, one write per client and turn"
    static let runs = 5

    /// Measures the gateway and the bare sockets in turn, within what the budget leaves.
    fileprivate static func alternate(
        _ plan: FanoutPlan, stamped: Bool, order: (_ isReference: Bool) -> String, within budget: Duration
    ) async throws -> (own: [FanoutRig.Window], reference: [FanoutRig.Window]) {
        let start = ContinuousClock.now
        let gateway = try FanoutRig(.gateway, plan, stamped: stamped)
        defer { gateway.end() }
        let sockets = try FanoutRig(.sockets, plan, stamped: stamped)
        defer { sockets.end() }
        let slice = max((budget - (ContinuousClock.now - start)) / (2.4 * Double(Self.runs)), .milliseconds(150))
        var (own, reference): ([FanoutRig.Window], [FanoutRig.Window]) = ([], [])
        for _ in 0..<Self.runs {
            own.append(try await gateway.measure(order(false), for: slice, stamped: stamped))
            reference.append(try await sockets.measure(order(true), for: slice, stamped: stamped))
        }
        return (own, reference)
    }
}

/// Deliveries a second, and the server's CPU time for a million of them.
private struct FanoutFigure: BenchSubject {
    enum Mode {
        /// So many events a second, one a turn.
        case paced(Int)
        /// So many events a turn, as fast as the clients take them.
        case burst(Int)
    }

    let name: String
    let plan: FanoutPlan
    let mode: Mode

    init(_ name: String, _ plan: FanoutPlan, _ mode: Mode) {
        self.name = name
        self.plan = plan
        self.mode = mode
    }

    private func order(_ isReference: Bool) -> String {
        switch self.mode {
        case .paced(let rate): return "paced \(rate)"
        case .burst(let events):
            // The bare sockets send what a client of a filter gets.
            let frames = isReference ? self.plan.deliveries(of: events) : events
            return "burst \(frames) \(4 * events * self.plan.clients)"
        }
    }

    func measure(within budget: Duration) async throws -> BenchFigure {
        let (own, reference) = try await FanoutBench.alternate(
            self.plan, stamped: false, order: self.order, within: budget)
        return BenchFigure(
            name: self.name, value: own.map(\.deliveriesPerSecond).median, unit: "deliveries/s",
            reference: FanoutBench.reference, referenceValue: reference.map(\.deliveriesPerSecond).median,
            runs: FanoutBench.runs, cpuSecondsPerMillion: own.map(\.cpuSecondsPerMillion).median,
            referenceCPUSecondsPerMillion: reference.map(\.cpuSecondsPerMillion).median)
    }
}

/// How long it takes from publishing to the frame in the client's hand.
private struct FanoutLatency: BenchSubject {
    let name: String
    let plan: FanoutPlan
    let rate: Int

    func measure(within budget: Duration) async throws -> BenchFigure {
        let (own, reference) = try await FanoutBench.alternate(
            self.plan, stamped: true, order: { _ in "paced \(self.rate)" }, within: budget)
        return BenchFigure(
            name: self.name, value: own.map { Double($0.p99) / 1e6 }.median, unit: "ms",
            reference: FanoutBench.reference, referenceValue: reference.map { Double($0.p99) / 1e6 }.median,
            runs: FanoutBench.runs)
    }
}

/// What a connected client that gets nothing costs in memory; and that an event then reaches all of them.
private struct IdleFigure: BenchSubject {
    let name: String
    let plan: FanoutPlan

    func measure(within budget: Duration) async throws -> BenchFigure {
        let own = try await self.kilobytes(.gateway)
        let reference = try await self.kilobytes(.sockets)
        return BenchFigure(
            name: self.name, value: own, unit: "KB/client", reference: FanoutBench.reference, referenceValue: reference,
            runs: 1)
    }

    private func kilobytes(_ role: BenchPeerCommand.Role) async throws -> Double {
        let rig = try FanoutRig(role, self.plan)
        defer { rig.end() }
        let grown = rig.server.residentBytes - rig.bytesBefore
        _ = try await rig.measure("paced 5", for: .milliseconds(400), stamped: false)
        return Double(grown) / Double(self.plan.clients) / 1000
    }
}
