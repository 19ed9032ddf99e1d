import Foundation
import Testing
import Tidings
import TidingsWebhooks

@testable import TidingsCommand

@Suite struct HandlerConfigurationTests {
    /// Reads a configuration file `tidings.yaml` in a folder of its own, beside which `hook.key` lies.
    private static func read(_ yaml: String) throws -> (webhooks: [WebhookConfiguration], problems: [String]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "handlers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".utf8).write(to: folder.appending(path: "hook.key"))
        let file = folder.appending(path: "tidings.yaml")
        try Data(yaml.utf8).write(to: file)
        do {
            return (try RunConfiguration(file: file.path).webhooks, [])
        } catch let errors as ConfigurationErrors {
            let problems = errors.problems.map { "\($0.line):\($0.column): \($0.field): \($0.message)" }
            return ([], problems.map { $0.replacing(folder.path, with: "") })
        }
    }

    @Test func `the contract's example is read, its secret from a file beside it`() throws {
        let (webhooks, problems) = try Self.read(
            """
            handlers:
              - webhook: {url: "https://hooks.example.com/x", types: [price_alert, login.failed], secret: "${file:hook.key}"}
            """)
        #expect(problems.isEmpty)
        let expected = WebhookConfiguration(
            name: "webhook hooks.example.com", url: "https://hooks.example.com/x",
            filter: EventFilter(types: ["price_alert", "login.failed"]),
            secret: try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        #expect(webhooks == [expected])
    }

    @Test func `every setting is read`() throws {
        let (webhooks, problems) = try Self.read(
            """
            handlers:
              - webhook:
                  name: alerts
                  url: https://hooks.example.com/${env:PATH}
                  types: price_alert
                  symbols: [BTC-USD, ETH-USD]
                  sources: alerts
                  secret: correct horse
                  headers: {X-Team: ops, Authorization: "Bearer ${file:hook.key}"}
                  format: discord
                  timeout: 3s
                  retries: {attempts: 2, first_delay: 500ms, maximum_delay: 1m}
                  concurrency: 4
                  capacity: 50
            """)
        #expect(problems.isEmpty)
        var retry = WebhookConfiguration.defaultRetry
        (retry.attempts, retry.firstDelay, retry.maximumDelay) = (2, .milliseconds(500), .seconds(60))
        let path = try #require(ProcessInfo.processInfo.environment["PATH"])
        let expected = WebhookConfiguration(
            name: "alerts", url: "https://hooks.example.com/\(path)",
            filter: EventFilter(types: ["price_alert"], symbols: ["BTC-USD", "ETH-USD"], sources: ["alerts"]),
            secret: try WebhookSecret("correct horse"),
            headers: [
                WebhookConfiguration.Header("X-Team", "ops"),
                WebhookConfiguration.Header("Authorization", "Bearer whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            ],
            format: .discord, timeout: .seconds(3), retry: retry, concurrency: .perSymbol(4), capacity: 50)
        #expect(webhooks == [expected])
    }

    @Test func `webhooks of one host get names of their own, the same every time`() throws {
        let yaml = """
            handlers:
              - webhook: {url: https://a.example.com/1}
              - webhook: {url: https://a.example.com/2}
              - webhook: {url: https://b.example.com/}
            """
        let names = ["webhook a.example.com", "webhook a.example.com 2", "webhook b.example.com"]
        #expect(try Self.read(yaml).webhooks.map(\.name) == names)
        #expect(try Self.read(yaml).webhooks.map(\.name) == names)
    }

    @Test(arguments: [
        ("handlers: {webhook: {}}", "1:11: handlers: must be a list"),
        ("handlers:\n  - {}", "2:5: handlers[0]: names no handler; there is: webhook"),
        (
            "handlers:\n  - webhok: {url: x}",
            "2:5: handlers[0].webhok: unknown setting; did you mean 'webhook'?"
        ),
        ("handlers:\n  - webhook: {}", "2:14: handlers[0].webhook.url: is required"),
        (
            "handlers:\n  - webhook: {url: example.com}",
            "2:20: handlers[0].webhook.url: must begin with https:// or http://"
        ),
        (
            "handlers:\n  - webhook:\n      url: https://e.com/\n      typs: [a]",
            "4:7: handlers[0].webhook.typs: unknown setting; did you mean 'types'?"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, types: [trade, 'a*b']}",
            "2:51: handlers[0].webhook.types[1]: must be a type or a pattern such as login.*, was 'a*b'"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, secret: '${file:no.key}'}",
            "2:44: handlers[0].webhook.secret: the file '/no.key' cannot be read"
        ),
        (
            "handlers:\n  - webhook: {url: 'https://e.com/${env:TIDINGS_NOT_SET_ANYWHERE}'}",
            "2:20: handlers[0].webhook.url: the environment variable 'TIDINGS_NOT_SET_ANYWHERE' is not set"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, headers: {X-A: '${vault:x}'}}",
            "2:51: handlers[0].webhook.headers.X-A: '${vault:x}' must be ${file:PATH} or ${env:NAME}"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, headers: {Host: a}}",
            "2:52: handlers[0].webhook.headers.Host: is set by the webhook itself"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, secret: 'whsec_a b'}",
            "2:44: handlers[0].webhook.secret: must be base64 after 'whsec_'"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, timeout: 0s}",
            "2:45: handlers[0].webhook.timeout: must be more than 0 and at most 1h"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, retries: {attempts: 0}}",
            "2:56: handlers[0].webhook.retries.attempts: must be 1...1000, was '0'"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, format: teams}",
            "2:44: handlers[0].webhook.format: must be one of event, slack, discord, was 'teams'"
        ),
        (
            "handlers:\n  - webhook: {url: https://e.com/, name: a}\n  - webhook: {url: https://f.com/, name: a}",
            "3:42: handlers[1].webhook.name: stands twice: 'a'"
        ),
    ])
    func `a mistake is named with its line and key`(yaml: String, expected: String) throws {
        let problems = try Self.read(yaml).problems
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix(expected) == true, "\(problems)")
    }
}

@Suite struct ReferenceTests {
    @Test func `references stand anywhere in a text`() throws {
        let text = try References.resolve("a ${env:X} b ${env:Y}", directory: "") { "<\($0)>" }
        #expect(text == "a <X> b <Y>")
        #expect(try References.resolve("plain $ {text}", directory: "") { _ in nil } == "plain $ {text}")
    }

    @Test func `what a reference brings is not looked into again`() throws {
        #expect(try References.resolve("${env:X}", directory: "") { _ in "${env:Y}" } == "${env:Y}")
    }

    @Test(arguments: ["${", "${env:X", "${}", "${env:}", "${env:X}", "${file:}", "${file:/}", "${file:/dev/null}"])
    func `a reference that leads nowhere is refused`(text: String) {
        #expect(throws: References.Problem.self) { try References.resolve(text, directory: "") { _ in nil } }
    }
}
