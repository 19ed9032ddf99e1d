import Tidings
import TidingsWebhooks
import Yams

extension RunConfiguration {
    /// Reads `handlers`: a list whose elements each name one kind of handler.
    mutating func readHandlers(_ node: Node?, _ directory: String, _ reader: inout YAMLReader) {
        guard let node else { return }
        guard let sequence = node.sequence else { return reader.report(node, "handlers", "must be a list") }
        var names: Set<String> = []
        for (index, element) in sequence.enumerated() {
            let path = "handlers[\(index)]"
            guard let handler = reader.mapping(element, path) else { continue }
            reader.expect(handler, in: path, only: ["webhook"])
            guard let node = handler["webhook"] else {
                if handler.isEmpty { reader.report(element, path, "names no handler; there is: webhook") }
                continue
            }
            guard let mapping = reader.mapping(node, "\(path).webhook"),
                var webhook = Self.webhook(mapping, node, "\(path).webhook", directory, &reader)
            else { continue }
            // Dead letters find their handler by its name: it is the same every time the program starts.
            if let name = webhook.name {
                if names.contains(name) {
                    reader.report(mapping["name"] ?? node, "\(path).webhook.name", "stands twice: '\(name)'")
                }
            } else {
                webhook.name = Self.freeName(for: webhook, names)
            }
            if let name = webhook.name { names.insert(name) }
            self.webhooks.append(webhook)
        }
    }

    private static func freeName(for webhook: WebhookConfiguration, _ names: Set<String>) -> String {
        let name = webhook.defaultName
        var number = 1
        while names.contains(number == 1 ? name : "\(name) \(number)") { number += 1 }
        return number == 1 ? name : "\(name) \(number)"
    }

    private static func webhook(
        _ mapping: Node.Mapping, _ node: Node, _ path: String, _ directory: String, _ reader: inout YAMLReader
    ) -> WebhookConfiguration? {
        let problems = reader.problems.count
        reader.expect(
            mapping, in: path,
            only: [
                "url", "name", "types", "symbols", "sources", "secret", "headers", "format", "timeout", "retries",
                "concurrency", "capacity",
            ])
        if mapping["url"] == nil { reader.report(node, "\(path).url", "is required") }
        var webhook = WebhookConfiguration(url: reader.secret(mapping["url"], "\(path).url", directory) ?? "")
        webhook.name = reader.text(mapping["name"], "\(path).name")
        webhook.filter = Self.filter(mapping, path, &reader)
        if let text = reader.secret(mapping["secret"], "\(path).secret", directory), let node = mapping["secret"] {
            do throws(WebhookConfigurationError) {
                webhook.secret = try WebhookSecret(text)
            } catch {
                reader.report(node, "\(path).secret", error.message)
            }
        }
        webhook.headers = Self.headers(mapping["headers"], "\(path).headers", directory, &reader)
        webhook.format =
            reader.choice(mapping["format"], "\(path).format", of: WebhookConfiguration.Format.self) ?? .event
        webhook.timeout = reader.duration(mapping["timeout"], "\(path).timeout") ?? webhook.timeout
        Self.readRetries(mapping["retries"], "\(path).retries", into: &webhook.retry, &reader)
        if let count = reader.count(mapping["concurrency"], "\(path).concurrency", in: 1...1000), count > 1 {
            webhook.concurrency = .perSymbol(count)
        }
        webhook.capacity =
            reader.count(mapping["capacity"], "\(path).capacity", in: 1...10_000_000) ?? webhook.capacity
        guard reader.problems.count == problems else { return nil }
        do throws(WebhookConfigurationError) {
            try webhook.validate()
        } catch {
            reader.report(
                Self.place(of: error.field, in: mapping) ?? node, YAMLReader.join(path, error.field), error.message)
            return nil
        }
        return webhook
    }

    /// The node of a setting such as `headers.X-Team`.
    private static func place(of field: String, in mapping: Node.Mapping) -> Node? {
        let parts = field.split(separator: ".", maxSplits: 1).map(String.init)
        guard let first = parts.first, let node = mapping[Node(first)] else { return nil }
        guard parts.count == 2 else { return node }
        return node.mapping?[Node(parts[1])] ?? node
    }

    private static func filter(_ mapping: Node.Mapping, _ path: String, _ reader: inout YAMLReader) -> EventFilter {
        var filter = EventFilter()
        for (index, text) in (reader.texts(mapping["types"], "\(path).types") ?? []).enumerated() {
            if let pattern = EventTypePattern(text) {
                filter.types.append(pattern)
            } else if let node = mapping["types"] {
                let field = node.sequence == nil ? "\(path).types" : "\(path).types[\(index)]"
                reader.report(
                    node.sequence?[index] ?? node, field, "must be a type or a pattern such as login.*, was '\(text)'")
            }
        }
        filter.symbols = reader.texts(mapping["symbols"], "\(path).symbols") ?? []
        filter.sources = (reader.texts(mapping["sources"], "\(path).sources") ?? []).map { Name($0) }
        return filter
    }

    private static func headers(
        _ node: Node?, _ path: String, _ directory: String, _ reader: inout YAMLReader
    ) -> [WebhookConfiguration.Header] {
        guard let mapping = reader.mapping(node, path) else { return [] }
        var headers: [WebhookConfiguration.Header] = []
        for (key, value) in mapping {
            guard let name = key.string else {
                reader.report(key, path, "a header's name must be text")
                continue
            }
            if let text = reader.secret(value, "\(path).\(name)", directory) {
                headers.append(WebhookConfiguration.Header(name, text))
            }
        }
        return headers
    }

    private static func readRetries(
        _ node: Node?, _ path: String, into retry: inout RetryPolicy, _ reader: inout YAMLReader
    ) {
        guard let retries = reader.mapping(node, path) else { return }
        reader.expect(retries, in: path, only: ["attempts", "first_delay", "maximum_delay"])
        retry.attempts = reader.count(retries["attempts"], "\(path).attempts", in: 1...1000) ?? retry.attempts
        retry.firstDelay = reader.duration(retries["first_delay"], "\(path).first_delay") ?? retry.firstDelay
        retry.maximumDelay = reader.duration(retries["maximum_delay"], "\(path).maximum_delay") ?? retry.maximumDelay
    }
}

extension YAMLReader {
    /// A text in which `${file:PATH}` and `${env:NAME}` stand for what should not be in the configuration file.
    mutating func secret(_ node: Node?, _ field: String, _ directory: String) -> String? {
        guard let node, let text = self.text(node, field) else { return nil }
        do throws(References.Problem) {
            return try References.resolve(text, directory: directory)
        } catch {
            self.report(node, field, error.message)
            return nil
        }
    }
}
