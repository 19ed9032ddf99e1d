import Testing
import Tidings
import TidingsWebhooks

@Suite struct WebhookConfigurationTests {
    private static func error(of configuration: WebhookConfiguration) async -> WebhookConfigurationError? {
        do throws(WebhookConfigurationError) {
            let webhook = try Webhook(configuration)
            await webhook.shutdown()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["", "hooks.example.com/x", "ftp://example.com/x", "https://", "https:///x", "http://a:0/", "::"])
    func `an address that is none is refused by the name of the setting`(url: String) async {
        #expect(await Self.error(of: WebhookConfiguration(url: url))?.field == "url")
    }

    @Test func `an address with a key in it is not shown when it is refused`() async throws {
        let error = try #require(await Self.error(of: WebhookConfiguration(url: "htps://u:topsecret@example.com/kk-1")))
        #expect(!"\(error)".contains("topsecret"))
        #expect(!"\(error)".contains("kk-1"))
    }

    @Test(arguments: [
        ("X-Bad Name", "a"), ("", "a"), ("X-Line", "a\r\nX-Other: b"), ("Content-Length", "3"), ("Webhook-Id", "3"),
        ("Host", "example.com"),
    ])
    func `headers that cannot be are refused`(name: String, value: String) async {
        let configuration = WebhookConfiguration(
            url: "https://example.com/", headers: [WebhookConfiguration.Header(name, value)])
        #expect(await Self.error(of: configuration)?.field == "headers.\(name)")
    }

    @Test func `credentials are given once`() async {
        let configuration = WebhookConfiguration(
            url: "https://u:p@example.com/", headers: [WebhookConfiguration.Header("authorization", "Bearer x")])
        #expect(await Self.error(of: configuration)?.field == "headers.authorization")
    }

    @Test func `times and numbers out of range are refused`() async {
        let url = "https://example.com/"
        #expect(await Self.error(of: WebhookConfiguration(url: url, timeout: .zero))?.field == "timeout")
        #expect(
            await Self.error(of: WebhookConfiguration(url: url, concurrency: .perSymbol(0)))?.field == "concurrency")
    }

    @Test func `a configuration does not show what is secret`() throws {
        let configuration = WebhookConfiguration(
            name: "alerts", url: "https://user:topsecret@example.com:8443/services/T0/B0/kept?key=kept",
            secret: try WebhookSecret("topsecret"), headers: [WebhookConfiguration.Header("X-Key", "topsecret")])
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect("\(configuration)" == "alerts to https://example.com:8443")
        #expect(!dumped.contains("topsecret"))
        #expect(!dumped.contains("kept"))
    }

    @Test func `its subscription drops the oldest, keeps order and waits longer than the request`() async throws {
        let serial = try Webhook(WebhookConfiguration(url: "https://example.com/x", timeout: .seconds(7)))
        let options = serial.subscriptionOptions
        #expect(options.name == "webhook example.com")
        #expect(try #require(options.deadline) > .seconds(7))
        #expect(options.retry == WebhookConfiguration.defaultRetry)
        guard case .dropOldest = options.overflow, case .serial = options.concurrency else {
            Issue.record("\(options)")
            return
        }
        await serial.shutdown()
        let keyed = try Webhook(WebhookConfiguration(url: "https://example.com/x", concurrency: .perSymbol(4)))
        guard case .keyed(4, _) = keyed.subscriptionOptions.concurrency else {
            Issue.record("\(keyed.subscriptionOptions)")
            return
        }
        await keyed.shutdown()
    }
}
