import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import Tidings

struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Send events to a running server: one by flags, or JSON lines from standard input.",
        discussion: """
            Prints the id of each event, or with --json its id, status and offset, once it is in the log. An event that is
            refused is reported on standard error with its line, the ones after it are still sent, and the exit status is 1.
            A server that is busy is waited for, and one that goes away is asked again for some seconds; nothing is
            published twice by that.

            Example: tidings publish --type custom --source me --payload '{"hello":"world"}'
            """
    )

    @OptionGroup var server: ServerOptions

    @Option(
        name: .long,
        help: ArgumentHelp("The event's type; without it events are read from standard input.", valueName: "type"))
    var type: String?

    @Option(name: .long, help: ArgumentHelp("The event's source.", valueName: "name"))
    var source: String?

    @Option(name: .long, help: ArgumentHelp("The event's payload, a JSON object.", valueName: "json"))
    var payload: String?

    @Option(name: .long, help: ArgumentHelp("1 (most urgent) to 10.", valueName: "n"))
    var priority: String?

    @Flag(name: .long, help: "One JSON object a line.")
    var json = false

    func validate() throws {
        if self.type == nil && (self.payload != nil || self.priority != nil) {
            throw ValidationError("--type: is required where --payload or --priority is given")
        }
    }

    func run() async throws {
        var configuration = HTTPClient.Configuration()
        // Nobody there is an answer; trying again is for the user to decide.
        configuration.connectionPool.retryConnectionEstablishment = false
        let server = try self.server.server().shown(self.server.access)
        server.trust?.apply(to: &configuration)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let sender = EventSender(
                client: client, server: server, isJSON: self.json, isSingle: self.type != nil,
                defaultSource: self.source ?? "cli")
            let refused: Int
            if let type = self.type {
                refused = try await sender.send(single: self.event(type))
            } else {
                refused = try await sender.sendStandardInput()
            }
            try await client.shutdown()
            if refused > 0 { throw ExitCode(1) }
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// The event of the flags, as JSON whose values are judged where all events are: by the server.
    private func event(_ type: String) throws -> [UInt8] {
        var writer = JSONWriter()
        writer.literal("{\"event_type\":")
        writer.write(string: type)
        writer.literal(",\"source\":")
        writer.write(string: self.source ?? "cli")
        if let payload = self.payload {
            do throws(EventDecodingError) {
                let object = try JSONObject(json: payload)
                writer.literal(",\"payload\":")
                writer.write(JSONValue.object(object))
            } catch {
                throw CommandError("payload: \(error.message)")
            }
        }
        if let priority = self.priority {
            writer.literal(",\"priority\":")
            writer.write(string: priority)
        }
        writer.literal("}")
        return writer.array()
    }
}
