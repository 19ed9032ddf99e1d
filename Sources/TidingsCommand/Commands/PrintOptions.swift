import ArgumentParser
import Tidings

/// How events are printed.
struct PrintOptions: ParsableArguments {
    @Flag(name: .long, help: "One JSON object a line.")
    var json = false

    @Flag(name: .long, help: "Times in UTC; the local zone otherwise.")
    var utc = false

    var line: EventLine {
        if self.json { return EventLine(format: .json) }
        return EventLine(
            format: .text(isColoured: StandardOutput.isColoured), zone: self.utc ? .utc : .local,
            width: StandardOutput.width)
    }
}
