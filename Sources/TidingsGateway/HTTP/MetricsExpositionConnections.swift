import Tidings

extension ConnectionSettings {
    /// What is counted about connections.
    func write(to text: inout MetricsExpositionText) {
        let counters = self.counters
        text.single("tidings_gateway_connections", .gauge, "Connections open now, of any kind.", counters.open)
        text.single(
            "tidings_gateway_connections_total", .counter, "Connections accepted, those refused at once among them.",
            counters.accepted)
        text.single(
            "tidings_gateway_accept_errors_total", .counter,
            "Times that the system had no connection to give, such as for want of file descriptors.",
            counters.acceptErrors)
        text.single(
            "tidings_gateway_requests_in_progress", .gauge, "HTTP requests without an answer, streams apart.",
            self.requests.count)
        text.single(
            "tidings_gateway_addresses", .gauge, "Addresses of clients that are remembered, to limit each.",
            self.limiter.addresses)
        text.family(
            "tidings_gateway_refused_total", .counter, "Connections and requests turned away, by reason."
        ) { family in
            for (reason, count) in counters.refusalCounts { family.sample(count, ("reason", reason.rawValue)) }
        }
        text.family(
            "tidings_gateway_timeouts_total", .counter, "Connections ended because something took too long, by what."
        ) { family in
            for (timeout, count) in counters.timeoutCounts { family.sample(count, ("waiting_for", timeout.rawValue)) }
        }
        guard self.isSecure else { return }
        text.family("tidings_gateway_tls_handshakes_total", .counter, "TLS handshakes, by result.") { family in
            family.sample(counters.handshakes, ("result", "done"))
            family.sample(counters.failedHandshakes, ("result", "failed"))
        }
    }
}
