/// Any JSON value. Numbers keep their digits, objects their order.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(ExactDecimal)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    public var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    public var number: ExactDecimal? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    public var array: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    public var object: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The number as an integer, when it is one that fits.
    public var int: Int? {
        guard let number = self.number, let (mantissa, scale) = number.compact, scale == 0 else { return nil }
        return Int(exactly: mantissa)
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .number(ExactDecimal(integerLiteral: value)) }
    public init(floatLiteral value: Double) { self = .number(ExactDecimal(floatLiteral: value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}

extension JSONValue: CustomStringConvertible {
    /// Compact JSON.
    public var description: String {
        var writer = JSONWriter()
        writer.write(self)
        return writer.string()
    }
}

extension JSONWriter {
    package mutating func write(_ value: JSONValue) {
        switch value {
        case .null: self.literal("null")
        case .bool(let value): self.write(value)
        case .number(let value): self.write(value)
        case .string(let value): self.write(string: value)
        case .object(let value): value.withUTF8 { self.write(bytes: $0) }
        case .array(let values):
            self.write(byte: UInt8(ascii: "["))
            var isFirst = true
            for value in values {
                if !isFirst { self.write(byte: UInt8(ascii: ",")) }
                isFirst = false
                self.write(value)
            }
            self.write(byte: UInt8(ascii: "]"))
        }
    }
}

extension JSONReader {
    /// Reads one value of any kind into memory.
    package mutating func readValue(depth: Int = 0) throws(JSONSyntaxError) -> JSONValue {
        switch try self.kind() {
        case .null:
            _ = try self.readNull()
            return .null
        case .bool: return .bool(try self.readBool())
        case .number: return .number(try self.readNumber())
        case .string: return .string(try self.readString().decoded())
        case .object: return .object(try self.readObject(depth: depth))
        case .array:
            guard depth < self.depthLimit else { throw self.error(.tooDeep) }
            var values: [JSONValue] = []
            try self.beginArray()
            var isFirst = true
            while try self.nextElement(isFirst: &isFirst) {
                values.append(try self.readValue(depth: depth + 1))
            }
            return .array(values)
        }
    }
}
