import Tidings
import Yams

extension RunConfiguration {
    /// What events go through before anybody sees them.
    struct Ingress: Sendable, Equatable {
        /// Names of secrets beyond the built-in ones, and built-in ones that are none.
        var redacted: [String] = []
        var kept: [String] = []
        /// The processors, in their order.
        var steps: [Step] = []

        enum Step: Sendable, Equatable {
            case validate(ValidationRules)
            case dedupe(fields: [String], EventFilter, window: Int)
            case throttle(EventFilter, every: Duration)
            case conflate(EventFilter, every: Duration)

            /// What it is called where it has no other of its kind before it.
            var name: String {
                switch self {
                case .validate: "validate"
                case .dedupe: "dedupe"
                case .throttle: "throttle"
                case .conflate: "conflate"
                }
            }
        }

        /// The chain, and those of its processors that hold events back and have to be run.
        ///
        /// - Parameter byteLimit: the longest event that is accepted.
        func chain(byteLimit: Int) -> (chain: IngressChain, conflating: [ConflationProcessor]) {
            var limits = IngressLimits()
            limits.maximumByteCount = byteLimit
            var processors: [any IngressProcessor] = []
            var conflating: [ConflationProcessor] = []
            var names = ProcessorNames()
            for step in self.steps {
                let name = names.next(step.name)
                switch step {
                case .validate(let rules): processors.append(ValidationProcessor(rules))
                case .dedupe(let fields, let filter, let window):
                    processors.append(
                        DeduplicationProcessor(fields: fields, filter: filter, window: window, name: name))
                case .throttle(let filter, let every):
                    processors.append(ThrottleProcessor(filter, every: every, name: name))
                case .conflate(let filter, let every):
                    let conflation = ConflationProcessor(filter, every: every, name: name)
                    processors.append(conflation)
                    conflating.append(conflation)
                }
            }
            let chain = IngressChain(
                redaction: Redaction(adding: self.redacted, keeping: self.kept), limits: limits, processors: processors)
            return (chain, conflating)
        }
    }

    /// Reads `redact`.
    mutating func readRedaction(_ node: Node?, _ reader: inout YAMLReader) {
        guard let redact = reader.mapping(node, "redact") else { return }
        reader.expect(redact, in: "redact", only: ["add", "keep"])
        self.ingress.redacted = reader.texts(redact["add"], "redact.add") ?? []
        self.ingress.kept = reader.texts(redact["keep"], "redact.keep") ?? []
    }
}
