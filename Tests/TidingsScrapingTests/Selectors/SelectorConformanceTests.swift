import Foundation
import Testing
import TidingsScraping

/// The same selectors on the same pages as other implementations: lexbor (PyPI selectolax) and Chromium.
@Suite(.timeLimit(.minutes(5)))
struct SelectorConformanceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    struct Request: Codable {
        var pages: [String]
        var selectors: [String]
    }

    struct Answer: Codable {
        var names: [String]
        /// Places among all elements; null for a selector that is refused.
        var found: [[Int]?]
    }

    /// Pages of a folder that `TIDINGS_PAGES` names, for a look at what others have written; none in `make test`.
    private static func foreignPages() -> [String] {
        guard let folder = ProcessInfo.processInfo.environment["TIDINGS_PAGES"] else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".html") }.sorted().prefix(20).compactMap {
            try? String(contentsOfFile: folder + "/" + $0, encoding: .utf8)
        }
    }

    private static func request() -> Request {
        var random = SeededGenerator(seed: 7)
        let pages = SamplePages.all + (0..<6).map { _ in SamplePages.random(&random) } + Self.foreignPages()
        return Request(
            pages: pages, selectors: SampleSelectors.written + (0..<250).map { _ in SampleSelectors.random(&random) })
    }

    /// What lexbor judges otherwise than Chromium does, and we with it: states of forms as attributes only, links without
    /// a thought for the element, `of` as a list too wide, descendants inside a nested list, names of attributes with a
    /// prefix. It also counts the doctype among the siblings of `html`, which ``compare(_:_:_:_:isKnown:)`` leaves out.
    private static let lexborFaults = [
        ":enabled", ":disabled", ":required", ":optional", "link", ":checked", " of ", ":is(nav, footer) ", "[href]",
    ]

    private static func ours(_ request: Request) throws -> [Answer] {
        let selectors = request.selectors.map { try? PageSelector("css=" + $0) }
        return try request.pages.map { text in
            let page = try HTMLDocument(text: text)
            let elements = page.elements
            let places = Dictionary(uniqueKeysWithValues: elements.enumerated().map { ($1, $0) })
            return Answer(
                names: elements.map(\.name),
                found: try selectors.map { try $0.map { try page.select($0).compactMap { places[$0] } } })
        }
    }

    @discardableResult
    private static func run(
        _ tool: String, _ arguments: [String], output: URL? = nil
    ) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: tool)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        if let output {
            _ = FileManager.default.createFile(atPath: output.path, contents: nil)
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return (process.terminationStatus, "")
        }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    private static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "selectors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    /// - Parameter isKnown: selectors that the other one is known to judge differently.
    private static func compare(
        _ request: Request, _ ours: [Answer], _ theirs: [Answer], _ name: String, isKnown: (String) -> Bool
    ) {
        var (agreed, refused, elements) = (0, Set<String>(), 0)
        for (page, (mine, other)) in zip(ours, theirs).enumerated() {
            guard mine.names == other.names else {
                Issue.record("page \(page): \(name) has another tree: \(mine.names) and \(other.names)")
                continue
            }
            for (selector, (found, expected)) in zip(request.selectors, zip(mine.found, other.found)) {
                guard !isKnown(selector) else { continue }
                guard let expected else {
                    refused.insert(selector)
                    continue
                }
                // `html` has no sibling and Chromium knows it.
                let isSame =
                    name == "lexbor" ? found?.filter { $0 > 0 } == expected.filter { $0 > 0 } : found == expected
                if isSame {
                    agreed += 1
                    elements += expected.count
                } else {
                    Issue.record(
                        "page \(page): \(selector): \(found.map { "\($0)" } ?? "refused"), \(name): \(expected)")
                }
            }
        }
        print(
            "\(name): \(agreed) answers agree, \(elements) elements; \(request.selectors.count) selectors,",
            "\(ours.count) pages; it refuses \(refused.count): \(refused.sorted().joined(separator: "   "))")
        #expect(agreed > 3000)
    }

    @Test func `every selector finds what lexbor finds`() throws {
        let made = try Self.run("/bin/sh", [Self.root.appending(path: "scripts/selector-tools.sh").path])
        guard made.status == 0 else {
            print("skipped: selectolax cannot be installed here: \(made.text.suffix(500))")
            return
        }
        let request = Self.request()
        let ours = try Self.ours(request)
        try Self.withFolder { folder in
            let (question, answer) = (folder.appending(path: "question.json"), folder.appending(path: "answer.json"))
            try JSONEncoder().encode(request).write(to: question)
            let python = Self.root.appending(path: ".build/selector-tools/bin/python").path
            let script = Self.root.appending(path: "Tests/Scripts/select_elements.py").path
            let ran = try Self.run(python, [script, question.path, answer.path])
            try #require(ran.status == 0, "\(ran.text)")
            let theirs = try JSONDecoder().decode([Answer].self, from: Data(contentsOf: answer))
            Self.compare(request, ours, theirs, "lexbor") { selector in
                Self.lexborFaults.contains { selector.contains($0) }
                    || selector.contains(":has(") && selector.contains(":is(")
            }
        }
    }

    @Test func `every selector finds what Chromium finds`() throws {
        guard
            let chromium = ["/usr/bin/chromium", "/usr/bin/google-chrome"].first(where: FileManager.default.fileExists)
        else {
            print("skipped: there is no Chromium here")
            return
        }
        let request = Self.request()
        let ours = try Self.ours(request)
        try Self.withFolder { folder in
            let driver = folder.appending(path: "driver.html")
            let json = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
                .replacing("<", with: "\\u003c")
            try Data(
                """
                <!DOCTYPE html><meta charset=utf-8><pre id=answer></pre><script>
                const request = \(json);
                document.getElementById("answer").textContent = JSON.stringify(request.pages.map(text => {
                    const page = new DOMParser().parseFromString(text, "text/html");
                    const all = Array.from(page.querySelectorAll("*"));
                    const places = new Map(all.map((element, place) => [element, place]));
                    return {names: all.map(e => e.localName), found: request.selectors.map(selector => {
                        try { return Array.from(page.querySelectorAll(selector)).map(e => places.get(e)) }
                        catch { return null }
                    })};
                }));
                </script>
                """.utf8
            ).write(to: driver)
            let output = folder.appending(path: "output.html")
            let arguments = [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder.path)/profile",
                "--virtual-time-budget=20000", "--dump-dom", driver.absoluteString,
            ]
            let ran = try Self.run(chromium, arguments, output: output)
            let page = try HTMLDocument(text: String(contentsOf: output, encoding: .utf8))
            guard ran.status == 0, let text = try page.first(PageSelector("#answer"))?.textContent, !text.isEmpty else {
                print("skipped: Chromium does not run here, it ended with \(ran.status)")
                return
            }
            let theirs = try JSONDecoder().decode([Answer].self, from: Data(text.utf8))
            Self.compare(request, ours, theirs, "Chromium") { _ in false }
        }
    }
}
