internal import Tidings

/// Puts a recording together from its lines, one at a time, and refuses what is not one.
struct RecordingParser {
    /// What is wrong with a line, or with the whole.
    struct Problem: Error {
        let message: String
    }

    private var header: (venue: String, frames: Int?)?
    private var frames: [Recording.Frame] = []
    private var bytes: [UInt8] = []

    /// Takes the next line, without its line end.
    mutating func take(_ line: UnsafeRawBufferPointer) throws(Problem) {
        let fields = try RecordingLine(line)
        if self.header == nil {
            guard fields.recording != nil, let venue = fields.venue else {
                throw Problem(message: #"the first line has to be {"recording":1,"venue":"...","frames":n}"#)
            }
            guard fields.recording == 1 else {
                throw Problem(message: "recording format \(fields.recording ?? 0), only format 1 is known")
            }
            self.header = (venue, fields.frames)
        } else {
            try self.takeFrame(fields)
        }
    }

    private mutating func takeFrame(_ fields: RecordingLine) throws(Problem) {
        guard let name = fields.kind else { throw Problem(message: "'kind' is missing") }
        guard let kind = Recording.Kind(rawValue: name) else {
            throw Problem(message: "unknown kind '\(name)', known are connect, sent, received, response")
        }
        guard let text = fields.time else { throw Problem(message: "'t' is missing") }
        guard let time = ExactDecimal(text)?.nanoseconds, time >= 0 else {
            throw Problem(message: "'t': '\(text)' is not a number of seconds")
        }
        if kind == .response, fields.url == nil { throw Problem(message: "'url' of a response is missing") }
        if kind != .connect, fields.text == nil { throw Problem(message: "'text' is missing") }
        let start = self.bytes.count
        self.bytes += fields.text ?? []
        self.frames.append(
            Recording.Frame(
                kind: kind, time: max(time, self.frames.last?.time ?? 0), url: fields.url,
                text: start..<self.bytes.count))
    }

    /// The whole recording, once all lines are in.
    func finish() throws(Problem) -> Recording {
        guard let header = self.header else { throw Problem(message: "the file is empty") }
        if let expected = header.frames, expected != self.frames.count {
            throw Problem(message: "its first line says \(expected) frames, but there are \(self.frames.count)")
        }
        return Recording(venue: header.venue, frames: self.frames, bytes: self.bytes)
    }
}

/// The members of a line that mean something to us.
private struct RecordingLine {
    var recording: Int?
    var venue: String?
    var frames: Int?
    var time: String?
    var kind: String?
    var url: String?
    var text: [UInt8]?

    init(_ line: UnsafeRawBufferPointer) throws(RecordingParser.Problem) {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(line)
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("text") {
                    let text = try reader.readString()
                    self.text = text.hasEscapes ? unescapeJSON(text.bytes) : Array(text.bytes)
                } else if key.equals("t") {
                    self.time = try reader.readString().decoded()
                } else if key.equals("kind") {
                    self.kind = try reader.readString().decoded()
                } else if key.equals("url") {
                    self.url = try reader.readString().decoded()
                } else if key.equals("venue") {
                    self.venue = try reader.readString().decoded()
                } else if key.equals("recording") {
                    self.recording = try reader.readValue().int
                } else if key.equals("frames") {
                    self.frames = try reader.readValue().int
                } else {
                    try reader.skipValue()
                }
            }
            try reader.expectEnd()
        } catch {
            throw RecordingParser.Problem(message: error.message)
        }
    }
}
