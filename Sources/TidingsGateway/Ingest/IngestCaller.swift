import NIOCore
import Tidings

/// Who sends events, and where that stands in a trace.
struct IngestCaller: Sendable {
    let principal: Principal
    /// Whose events count together against the rate.
    let sender: IngestSender
    var position: TracePosition?

    init(principal: Principal, address: SocketAddress? = nil) {
        self.principal = principal
        if let name = principal.name {
            self.sender = .token(name)
        } else {
            self.sender = IPAddress(address).map { .address($0.group) } ?? .others
        }
    }
}

/// What a rate is counted for.
enum IngestSender: Hashable, Sendable {
    case token(String)
    case address(IPAddress)
    /// Those without an address, and those for whom there is no place.
    case others
}
