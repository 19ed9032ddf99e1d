import Testing

@testable import TidingsSimulation

@Suite struct RecordingReaderTests {
    @Test func `frames are read with their times, kinds and texts`() throws {
        let recording = try SmallSession.recording([
            #"{"recording":1,"venue":"hyperliquid","frames":4}"#,
            #"{"t":"10.25","kind":"connect","url":"wss://x/ws"}"#,
            SmallSession.line("10.3", #"{"method":"subscribe"}"#, kind: "sent"),
            SmallSession.line("11.000000001", #"{"a":"b\n"}"#),
            #"{"t":"9","kind":"response","url":"https://x/api?y=1","text":"[]"}"#,
        ])
        #expect(recording.venue == "hyperliquid")
        #expect(recording.frames.map(\.kind) == [.connect, .sent, .received, .response])
        // A time before the one above it counts as that one.
        let times: [Int64] = [10_250_000_000, 10_300_000_000, 11_000_000_001, 11_000_000_001]
        #expect(recording.frames.map(\.time) == times)
        #expect(recording.text(of: recording.frames[2]) == Array(#"{"a":"b\n"}"#.utf8))
        #expect(recording.frames[3].url == "https://x/api?y=1")
    }

    @Test(arguments: [
        ([], "", "the file is empty"),
        (["not json"], ":1", "unexpected 'n' at byte 0"),
        ([#"{"t":"1","kind":"received","text":""}"#], ":1", "the first line has to be"),
        ([#"{"recording":2,"venue":"hyperliquid"}"#], ":1", "only format 1 is known"),
        ([#"{"recording":1,"venue":"kraken","frames":0}"#], ":1", "a recording of 'kraken', not of 'hyperliquid'"),
        ([#"{"recording":1,"venue":"hyperliquid","frames":2}"#], "", "says 2 frames, but there are 0"),
        ([SmallSession.header, #"{"t":"1","kind":"received","text":"#], ":2", "ends too early"),
        ([SmallSession.header, #"{"t":"1","kind":"seen","text":""}"#], ":2", "unknown kind 'seen'"),
        ([SmallSession.header, #"{"kind":"received","text":""}"#], ":2", "'t' is missing"),
        ([SmallSession.header, #"{"t":"soon","kind":"received","text":""}"#], ":2", "'soon' is not a number"),
        ([SmallSession.header, #"{"t":"1","kind":"received"}"#], ":2", "'text' is missing"),
        ([SmallSession.header, #"{"t":"1","kind":"response","text":""}"#], ":2", "'url' of a response is missing"),
        ([SmallSession.header, #"{"t":"1","text":""}"#], ":2", "'kind' is missing"),
        ([SmallSession.header, ""], ":2", "ends too early"),
    ])
    func `what is no recording is refused with file, line and reason`(
        lines: [String], place: String, reason: String
    ) throws {
        let file = try TemporaryFile(lines + [""])
        let error = #expect(throws: ExchangeSimulatorError.self) {
            try RecordingReader.readBlocking(file: lines.isEmpty ? "/dev/null" : file.path, venue: "hyperliquid")
        }
        let message = error?.message ?? ""
        #expect(error?.code == .invalidRecording)
        #expect(message.hasPrefix(lines.isEmpty ? "/dev/null" : "\(file.path)\(place): "), "\(message)")
        #expect(message.contains(reason), "\(message)")
    }

    @Test func `a file that is not there is named`() async {
        let error = await #expect(throws: ExchangeSimulatorError.self) {
            try await RecordingReader.read(file: "/nowhere/x.jsonl", venue: "hyperliquid")
        }
        #expect(error?.message == "/nowhere/x.jsonl: No such file or directory")
    }

    @Test(
        .enabled(if: SampleRecordings.areThere, "no recordings beside the project"),
        arguments: [
            ("hyperliquid-btc", "hyperliquid", 55), ("binance-spot", "binance", 270), ("kraken", "kraken", 2051),
            ("coinbase-exchange", "coinbase", 9950),
        ])
    func `the recordings beside the project are read`(name: String, venue: String, frames: Int) throws {
        let recording = try RecordingReader.readBlocking(
            file: SampleRecordings.file("\(name).jsonl"), venue: venue)
        #expect(recording.frames.count == frames)
    }
}
