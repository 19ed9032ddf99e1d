/// Collects lines for standard output and writes them in large pieces.
struct OutputBuffer {
    private var text = ""

    mutating func append(_ line: String) {
        self.text += line
        self.text += "\n"
        if self.text.utf8.count > 65_536 { self.flush() }
    }

    mutating func flush() {
        if !self.text.isEmpty { StandardOutput.write(self.text) }
        self.text = ""
    }
}
