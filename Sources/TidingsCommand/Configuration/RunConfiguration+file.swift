import Foundation
import Tidings
import TidingsGateway
import Yams

extension RunConfiguration {
    /// Settings that the contract names and this version does not have yet: said so, rather than passed over.
    private static let unavailable = ["workflows"]

    /// Reads a configuration file; paths in it are relative to it.
    init(file: String) throws {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw CommandError("\(file): cannot be read: \(error.localizedDescription)")
        }
        var reader = YAMLReader(file: file)
        self = RunConfiguration(yaml: text, directory: (file as NSString).deletingLastPathComponent, &reader)
        if !reader.problems.isEmpty { throw ConfigurationErrors(problems: reader.problems) }
    }

    init(yaml text: String, directory: String, _ reader: inout YAMLReader) {
        self.init()
        guard let root = reader.parse(text) else { return }
        reader.expect(
            root, in: "",
            only: [
                "listen", "bus", "store", "connectors", "processors", "handlers", "heartbeat", "redact", "limits",
                "access", "tls", "compression", "log",
            ] + Self.unavailable)
        for name in Self.unavailable {
            if let key = root.first(where: { $0.key.string == name })?.key {
                reader.report(key, name, "is not available in this version")
            }
        }
        if let node = root["listen"], let text = reader.text(node, "listen") {
            if let address = Address(text) {
                self.listen = address
            } else {
                reader.report(node, "listen", "must be HOST:PORT, was '\(text)'")
            }
        }
        if let node = root["bus"], let text = reader.text(node, "bus"), text != "memory" {
            reader.report(node, "bus", "only 'memory' is available in this version, was '\(text)'")
        }
        self.readStore(root["store"], directory, &reader)
        self.readConnectors(root["connectors"], directory, &reader)
        self.readProcessors(root["processors"], &reader)
        self.readHandlers(root["handlers"], directory, &reader)
        self.readRedaction(root["redact"], &reader)
        if let heartbeat = reader.duration(root["heartbeat"], "heartbeat") { self.heartbeat = heartbeat }
        self.readLimits(root["limits"], &reader)
        self.readTLS(root["tls"], directory, &reader)
        self.readAccess(root["access"], directory, &reader)
        self.compression =
            reader.choice(root["compression"], "compression", of: GatewayConfiguration.Compression.self)
            ?? self.compression
        if let log = reader.mapping(root["log"], "log") {
            reader.expect(log, in: "log", only: ["level", "format"])
            self.logLevel = reader.text(log["level"], "log.level") ?? self.logLevel
            self.logFormat = reader.choice(log["format"], "log.format", of: LogFormat.self) ?? self.logFormat
        }
    }

    private mutating func readStore(_ node: Node?, _ directory: String, _ reader: inout YAMLReader) {
        guard let store = reader.mapping(node, "store") else { return }
        reader.expect(store, in: "store", only: ["file", "durability", "retention"])
        if let retention = store["retention"] {
            reader.report(retention, "store.retention", "is not available in this version")
        }
        if let file = reader.text(store["file"], "store.file") {
            self.store = file == "none" ? .none : .file(Self.resolve(file, directory))
        }
        self.durability = reader.choice(store["durability"], "store.durability", of: Durability.self) ?? self.durability
    }

    static func resolve(_ path: String, _ directory: String) -> String {
        path.hasPrefix("/") || directory.isEmpty ? path : directory + "/" + path
    }

    private mutating func readLimits(_ node: Node?, _ reader: inout YAMLReader) {
        guard let limits = reader.mapping(node, "limits") else { return }
        reader.expect(
            limits, in: "limits",
            only: [
                "event", "body", "clients", "client_buffer", "connections", "address", "timeouts", "publish_rate",
                "publish_wait",
            ])
        self.eventBytes = reader.byteCount(limits["event"], "limits.event") ?? self.eventBytes
        self.bodyBytes = reader.byteCount(limits["body"], "limits.body") ?? self.bodyBytes
        self.clients = reader.count(limits["clients"], "limits.clients", in: 1...1_000_000) ?? self.clients
        self.clientBufferBytes =
            reader.byteCount(limits["client_buffer"], "limits.client_buffer") ?? self.clientBufferBytes
        if let rate = reader.count(limits["publish_rate"], "limits.publish_rate", in: 1...1_000_000_000) {
            self.publishRate = Double(rate)
        }
        self.publishWait = reader.duration(limits["publish_wait"], "limits.publish_wait") ?? self.publishWait
        self.connections = reader.count(limits["connections"], "limits.connections", in: 1...1_000_000)
        self.readAddressLimits(limits["address"], &reader)
        self.readTimeouts(limits["timeouts"], &reader)
    }
}
