import ArgumentParser
import Tidings

/// Where dead letters are: in a running server, or in a store.
struct DeadLetterOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The server, such as http://127.0.0.1:8765. [env: TIDINGS_URL]", valueName: "url"))
    var url: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The store, instead of a server. [env: TIDINGS_STORE]", valueName: "file"))
    var store: String?

    @OptionGroup var access: TokenOptions

    enum Place {
        case server(ServerAddress)
        case store(String)
    }

    func validate() throws {
        _ = try self.place()
    }

    /// Flags come before the environment.
    func place() throws(ValidationError) -> Place {
        var (store, url) = (self.store, self.url)
        if store == nil && url == nil { (store, url) = (Environment.value("STORE"), Environment.value("URL")) }
        switch (store, url) {
        case (nil, nil): throw ValidationError("--store, --url: which store or server has the dead letters?")
        case (.some, .some): throw ValidationError("--store, --url: give one of them, not both")
        case (let store?, nil): return .store(store)
        case (nil, let url?): return .server(try Self.server(url))
        }
    }

    static func server(_ url: String) throws(ValidationError) -> ServerAddress {
        guard let address = ServerAddress(url) else {
            throw ValidationError("--url: '\(url)' is not an address such as http://127.0.0.1:8765")
        }
        return address
    }
}

extension EventID {
    /// The id of a dead letter as an argument.
    static func letter(_ text: String) throws(ValidationError) -> EventID {
        guard let id = EventID(text) else {
            throw ValidationError("id: an id has 1 to \(EventID.maximumByteCount) bytes")
        }
        return id
    }
}
