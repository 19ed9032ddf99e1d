import NIOCore
import NIOHTTP1
import NIOSSL
import Tidings

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What all connections of a gateway share: who may connect, for how long, with what certificate.
struct ConnectionSettings: Sendable {
    let limiter: AddressLimiter
    let counters: ConnectionCounters
    let requests: RequestsInProgress
    /// What is shown where TLS is spoken.
    let identity: ServerIdentity?
    let guarding: ConnectionGuard.Settings
    let decoderLimits: NIOHTTPDecoderLimitConfiguration
    private let refusedPlaces = RefusedConnectionHandler.Places()

    /// File descriptors that are left for the log, for connectors, and for telling clients that there is no place.
    private static let spareDescriptors = 512

    init(_ configuration: GatewayConfiguration, identity: ServerIdentity?) {
        var limits = configuration.limits
        limits.connections = min(limits.connections, Self.descriptors)
        let counters = ConnectionCounters()
        let requests = RequestsInProgress()
        self.limiter = AddressLimiter(limits)
        self.counters = counters
        self.requests = requests
        self.identity = identity
        let timeouts = configuration.timeouts
        var guarding = ConnectionGuard.Settings(counters: counters, requests: requests)
        guarding.clock = RequestClock.Limits(
            handshake: timeouts.handshake.wholeNanoseconds, head: timeouts.head.wholeNanoseconds,
            body: timeouts.body.wholeNanoseconds, bodyBytesPerSecond: Int64(timeouts.bodyBytesPerSecond),
            idle: configuration.idleTimeout.wholeNanoseconds, response: timeouts.response.wholeNanoseconds)
        guarding.uriBytes = limits.uriBytes
        guarding.headBytes = limits.headBytes
        self.guarding = guarding
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = min(decoding.maxHeaderFieldSize, limits.headBytes)
        decoding.maxHeaderListSize = limits.headBytes
        decoding.maxHeaderFieldCount = limits.headFields
        self.decoderLimits = decoding
    }

    var isSecure: Bool { self.identity != nil }

    var door: TLSDoorHandler? { self.identity.map { TLSDoorHandler($0, counters: self.counters) } }

    /// How many descriptors connections may take, of those that the system lets this process have.
    private static var descriptors: Int {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < UInt64(Int32.max) else { return .max }
        let all = Int(limit.rlim_cur)
        return max(all - Self.spareDescriptors, all / 2)
    }

    /// Lets a new connection in; else it is told why not, and false.
    func admit(_ channel: any Channel) throws -> Bool {
        self.counters.opened()
        let counters = self.counters
        let group = self.limiter.group(of: channel.remoteAddress)
        if let refusal = self.limiter.connect(group) {
            counters.refused(refusal.reason)
            channel.closeFuture.whenComplete { _ in counters.closed() }
            try channel.pipeline.syncOperations.addHandler(
                RefusedConnectionHandler(refusal.problem, places: self.refusedPlaces, isSecure: self.isSecure))
            return false
        }
        let limiter = self.limiter
        channel.closeFuture.whenComplete { _ in
            counters.closed()
            limiter.disconnect(group)
        }
        return true
    }

    /// Why a request that has come in is one too many, if it is.
    func refusal(ofRequestFrom channel: any Channel) -> Problem? {
        guard let refusal = self.limiter.request(self.limiter.group(of: channel.remoteAddress)) else { return nil }
        self.counters.refused(refusal.reason)
        return refusal.problem
    }
}
