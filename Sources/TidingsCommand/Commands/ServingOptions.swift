import ArgumentParser
import Logging
import Tidings

/// What `run` and `demo` share: where to keep and where to listen.
struct ServingOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The store's file, or none for the newest 100,000 events in memory. [env: TIDINGS_STORE]", valueName: "file"
        ))
    var store: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to listen; port 0 takes any free one. [env: TIDINGS_LISTEN] (default: 127.0.0.1:8765)",
            valueName: "host:port"))
    var listen: String?

    @Option(
        name: .long, help: ArgumentHelp("The bus; only memory in this version. [env: TIDINGS_BUS]", valueName: "bus"))
    var bus: String?

    @Flag(name: .long, help: "Listen beyond this machine although nobody has to show who they are.")
    var insecure = false

    @Option(
        name: .long,
        help: ArgumentHelp("trace, debug, info, notice, warning or error. [env: TIDINGS_LOG_LEVEL]", valueName: "level")
    )
    var logLevel: String?

    @Flag(name: .long, help: "Print events as JSON, one a line, whether or not there is a terminal.")
    var json = false

    @Flag(name: .long, help: "Print no events.")
    var quiet = false

    @Flag(name: .long, help: "Times in UTC; the local zone otherwise.")
    var utc = false

    func validateValues() throws(ValidationError) {
        var configuration = RunConfiguration()
        try self.apply(to: &configuration)
    }

    /// Flags over environment over what the configuration has.
    func apply(to configuration: inout RunConfiguration) throws(ValidationError) {
        if let text = self.listen ?? Environment.value("LISTEN") {
            guard let address = RunConfiguration.Address(text) else {
                throw ValidationError("--listen: '\(text)' must be HOST:PORT")
            }
            configuration.listen = address
        }
        if let text = self.store ?? Environment.value("STORE") {
            configuration.store = text == "none" ? .none : .file(text)
        }
        if let text = self.bus ?? Environment.value("BUS"), text != "memory" {
            throw ValidationError("--bus: only 'memory' is available in this version, was '\(text)'")
        }
        if let text = self.logLevel ?? Environment.value("LOG_LEVEL") { configuration.logLevel = text }
        guard Logger.Level(rawValue: configuration.logLevel) != nil else {
            throw ValidationError(
                "--log-level: '\(configuration.logLevel)' is none of trace, debug, info, notice, warning, error")
        }
        if self.insecure { configuration.insecure = true }
    }

    /// How events are printed: on a terminal for people, as JSON if asked for, else not at all.
    var console: EventLine? {
        if self.quiet { return nil }
        if self.json { return EventLine(format: .json) }
        guard StandardOutput.isTerminal else { return nil }
        return EventLine(
            format: .text(isColoured: StandardOutput.isColoured), zone: self.utc ? .utc : .local,
            width: StandardOutput.width)
    }
}
