import Foundation

/// Python's `json` module as a second opinion.
enum PythonJSON {
    private static let path = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static var isAvailable: Bool { self.path != nil }

    private static let program = """
        import json, sys
        def refuse(word): raise ValueError(word)
        if hasattr(sys, "set_int_max_str_digits"): sys.set_int_max_str_digits(0)
        for line in sys.stdin:
            try:
                json.loads(bytes.fromhex(line).decode("utf-8"), parse_constant=refuse)
                print(1)
            except ValueError:
                print(0)
        """

    /// Whether each text is JSON.
    static func judge(_ texts: [[UInt8]]) throws -> [Bool] {
        let file = FileManager.default.temporaryDirectory.appending(path: "tidings-json-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let digits = Array("0123456789abcdef".utf8)
        var input: [UInt8] = []
        for text in texts {
            for byte in text { input += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
            input.append(UInt8(ascii: "\n"))
        }
        try Data(input).write(to: file)
        let process = Process()
        process.executableURL = URL(filePath: self.path ?? "/usr/bin/python3")
        process.arguments = ["-c", self.program]
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answer = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: answer, as: UTF8.self).split(separator: "\n").map { $0 == "1" }
    }
}
