import Tidings
import Yams

extension RunConfiguration {
    /// What events go through before anybody sees them.
    struct Ingress: Sendable, Equatable {
        /// Names of secrets beyond the built-in ones, and built-in ones that are none.
        var redacted: [String] = []
        var kept: [String] = []
        /// Whether market events that lack what their type needs are rejected.
        var validates = false

        /// - Parameter byteLimit: the longest event that is accepted.
        func chain(byteLimit: Int) -> IngressChain {
            var limits = IngressLimits()
            limits.maximumByteCount = byteLimit
            return IngressChain(
                redaction: Redaction(adding: self.redacted, keeping: self.kept), limits: limits,
                processors: self.validates ? [ValidationProcessor()] : [])
        }
    }

    /// Reads `redact`.
    mutating func readRedaction(_ node: Node?, _ reader: inout YAMLReader) {
        guard let redact = reader.mapping(node, "redact") else { return }
        reader.expect(redact, in: "redact", only: ["add", "keep"])
        self.ingress.redacted = reader.texts(redact["add"], "redact.add") ?? []
        self.ingress.kept = reader.texts(redact["keep"], "redact.keep") ?? []
    }

    /// Reads `processors`: a list whose elements each name one kind of processor.
    mutating func readProcessors(_ node: Node?, _ reader: inout YAMLReader) {
        guard let node else { return }
        guard let sequence = node.sequence else { return reader.report(node, "processors", "must be a list") }
        for (index, element) in sequence.enumerated() {
            let path = "processors[\(index)]"
            guard let processor = reader.mapping(element, path) else { continue }
            reader.expect(processor, in: path, only: ["validate", "candles", "price_alert"])
            for name in ["candles", "price_alert"] {
                if let key = processor.first(where: { $0.key.string == name })?.key {
                    reader.report(key, "\(path).\(name)", "is not available in this version")
                }
            }
            guard let node = processor["validate"] else {
                if processor.isEmpty { reader.report(element, path, "names no processor; there is: validate") }
                continue
            }
            if let settings = reader.mapping(node, "\(path).validate") {
                reader.expect(settings, in: "\(path).validate", only: [])
            }
            self.ingress.validates = true
        }
    }
}
