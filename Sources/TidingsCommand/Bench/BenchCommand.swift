import ArgumentParser
import Tidings

struct BenchCommand: AsyncParsableCommand {
    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case bus, codec, store, fanout, feed
    }

    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine, beside a reference of the same kind in the same run.",
        discussion: """
            Each figure is the median of five runs. The reference is measured in between, so that the ratio means something
            on a noisy machine. Build in release before believing any of it.

            Example: tidings bench bus --seconds 20
            """
    )

    @Argument(help: "What to measure: \(Subject.allCases.map(\.rawValue).joined(separator: ", ")).")
    var subject: Subject

    @Option(name: .long, help: ArgumentHelp("The budget of the whole subject.", valueName: "n"))
    var seconds: Int = 40

    @Option(name: .long, help: ArgumentHelp("Measure only this figure; may be repeated.", valueName: "name"))
    var only: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Of feed: measure with the frames of this recording, not generated ones.", valueName: "file")
    )
    var recording: String?

    @Flag(name: .long, help: "One JSON object a line.")
    var json = false

    func validate() throws {
        guard (1...3600).contains(self.seconds) else {
            throw ValidationError("--seconds: must be 1...3600, was \(self.seconds)")
        }
        guard self.recording == nil || self.subject == .feed else {
            throw ValidationError("--recording: only for 'feed'")
        }
    }

    func run() async throws {
        #if DEBUG
        StandardError.write("note: this is a debug build; its figures say nothing\n")
        #endif
        let all: [any BenchSubject] =
            switch self.subject {
            case .bus: BusBench.all
            case .codec: CodecBench.all
            case .store: StoreBench.all
            case .fanout: try FanoutBench.all()
            case .feed: try FeedBench.all(recording: self.recording)
            }
        let subjects = self.only.isEmpty ? all : all.filter { self.only.contains($0.name) }
        guard !subjects.isEmpty else {
            throw ValidationError("--only: \(self.subject.rawValue) has \(all.map(\.name).joined(separator: ", "))")
        }
        let budget = Duration.seconds(self.seconds) / Double(subjects.count)
        for subject in subjects {
            let figure = try await subject.measure(within: budget)
            StandardOutput.write((self.json ? figure.json : figure.text) + "\n")
        }
    }
}
