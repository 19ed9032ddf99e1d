import NIOCore
import Tidings

/// Brings one client from where it stood in the log to the present: reads the log page by page, off the event loop, as
/// fast as the client's socket takes it.
final class HistoryReplay: Sendable {
    private let eventLoop: any EventLoop
    private let client: NIOLoopBound<StreamClient>
    private let log: any EventLog

    /// Pages aim at so many bytes.
    private static let pageBytes = 256 << 10

    /// On the client's event loop.
    init(client: StreamClient, hub: StreamHub) {
        self.eventLoop = hub.eventLoop
        self.client = NIOLoopBound(client, eventLoop: hub.eventLoop)
        self.log = hub.log
    }

    func run() async {
        var limit = 64
        do {
            while !Task.isCancelled {
                let wanted = limit
                let step = try await self.eventLoop.submit { self.client.value.nextReplayStep(limit: wanted) }.get()
                switch step {
                case .ended: return
                case .waitForSocket(let future): try await future.get()
                case .read(let query, let isExact, let version):
                    let events = try await self.log.read(query)
                    let oldest = self.log.bounds.oldest
                    let (sent, rate) = try await self.eventLoop.submit {
                        let client = self.client.value
                        let sent = client.sendHistory(
                            events, of: query, isExact: isExact, version: version, oldest: oldest)
                        return (sent, client.replayRate)
                    }.get()
                    if let rate { try await Task.sleep(for: .seconds(Double(sent) / rate)) }
                    limit = Self.nextLimit(events, rate: rate)
                }
            }
        } catch is CancellationError {
            return
        } catch {
            self.eventLoop.execute { self.client.value.close(.storeFailed) }
        }
    }

    private static func nextLimit(_ events: [LoggedEvent], rate: Double?) -> Int {
        let bytes = events.reduce(0) { $0 + $1.withJSON { $0.count } }
        let average = events.isEmpty ? 512 : max(bytes / events.count, 1)
        let fitting = max(1, min(1000, Self.pageBytes / average))
        guard let rate else { return fitting }
        return max(1, min(fitting, Int(min(rate, 4000) / 4)))
    }
}
