internal import Tidings

/// A text as a JSON object; `nil` for all else.
func jsonObject(_ bytes: UnsafeRawBufferPointer) -> JSONObject? {
    do throws(EventDecodingError) {
        return try JSONObject(json: bytes)
    } catch {
        return nil
    }
}

/// A text as JSON of any kind; `nil` for what is none.
func jsonValue(_ bytes: UnsafeRawBufferPointer) -> JSONValue? {
    do throws(JSONSyntaxError) {
        var reader = JSONReader(bytes)
        let value = try reader.readValue()
        try reader.expectEnd()
        return value
    } catch {
        return nil
    }
}

/// A text as JSON, with its quotation marks.
func quoted(_ text: String) -> String {
    JSONValue.string(text).description
}

/// `["price","size"],...` of levels.
func levelPairs(_ levels: some Sequence<BookLevel>) -> String {
    levels.map { #"["\#($0.price)","\#($0.size)"]"# }.joined(separator: ",")
}

/// A JSON answer.
func jsonResponse(_ text: String, status: Int = 200) -> VenueResponse {
    VenueResponse(status: status, body: Array(text.utf8))
}

/// A bid's price that is far above every ask: a 9 before the digits of one that is there.
func crossingPrice(_ change: BookChange) -> String? {
    (change.asks.last ?? change.bids.first).map { "9" + $0.price }
}

/// A frame with an element more at the beginning of an array, after the first `marker`, which ends with its bracket.
func inserting(_ element: String, afterFirst marker: String, in frame: UnsafeRawBufferPointer) -> [UInt8]? {
    let bytes = Array(frame)
    guard let place = bytes.firstRange(of: Array(marker.utf8))?.upperBound, place < bytes.count else { return nil }
    let isEmpty = bytes[place] == UInt8(ascii: "]")
    return Array(bytes[..<place]) + Array(element.utf8) + (isEmpty ? [] : [UInt8(ascii: ",")]) + bytes[place...]
}

/// The levels of `[["price","size"], ...]`.
func bookLevels(_ value: JSONValue?) -> [BookLevel] {
    (value?.array ?? []).compactMap { level in
        guard let parts = level.array, parts.count >= 2, let price = parts[0].string, let size = parts[1].string else {
            return nil
        }
        return BookLevel(price, size)
    }
}

/// The path of a request, and the values of its query by their names; a name's first value counts.
struct RequestTarget {
    let path: String
    /// The parts of the path, without empty ones.
    let parts: [String]
    private(set) var query: [String: String] = [:]

    init(_ uri: String) {
        let halves = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.path = Self.decoded(halves.first ?? "")
        self.parts = self.path.split(separator: "/").map { String($0) }
        guard halves.count > 1 else { return }
        for pair in halves[1].split(separator: "&").prefix(64) {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = sides.first else { continue }
            let key = Self.decoded(name)
            if self.query[key] == nil { self.query[key] = sides.count > 1 ? Self.decoded(sides[1]) : "" }
        }
    }

    subscript(name: String) -> String? { self.query[name] }

    func int(_ name: String) -> Int64? { self.query[name].flatMap { Int64($0) } }

    /// Percent-encoding taken away; what is none stays.
    private static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A time in RFC 3339.
func timeText(nanoseconds: Int64, _ precision: Timestamp.Precision = .microseconds) -> String {
    Timestamp(nanoseconds: nanoseconds, precision: precision).description
}
