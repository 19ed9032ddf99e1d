/// The names that the mapping between events and CloudEvents 1.0.2 uses.
///
/// Attributes and event keys of the same meaning are translated; every other extension attribute is an extra key of the
/// event by the same name. What one side has and the other cannot say is kept in one place on each side:
/// ``eventKey`` in an event, ``extra`` in a CloudEvent.
enum CloudEventName {
    /// The only version there is a mapping for.
    static let version = "1.0"
    static let jsonMediaType = "application/cloudevents+json"
    static let batchMediaType = "application/cloudevents-batch+json"
    static let subprotocol = "cloudevents.json"

    /// An extra key of our events, with what a CloudEvent said and an event has no place for: an object with `data` (how
    /// the payload stands for the data), `id` (where the event's own id is another) and `attributes` (whose names are
    /// keys of ours). Its underscore keeps it from being an extension attribute's name.
    static let eventKey = "cloud_event"
    /// An extension attribute, with the event's extra members that attributes cannot hold, as the text of a JSON object.
    static let extra = "tidingsextra"
    /// An extension attribute, with the event's offset in the log it was read from; not read back.
    static let offset = "tidingsoffset"

    /// Keys of our events that are not known by this name in a CloudEvent: an attribute so named is put aside.
    static func isEventKey(_ name: String) -> Bool {
        switch name {
        case "event_id", "event_type", "timestamp", "source", "payload", "correlation_id", "parent_event_id",
            "priority", "processed_at", "processing_time_ms", Self.eventKey:
            true
        default: false
        }
    }

    /// The attributes that the specification itself names, and the members that are none.
    static func isOfTheSpecification(_ name: String) -> Bool {
        switch name {
        case "specversion", "id", "source", "type", "time", "datacontenttype", "dataschema", "subject", "data",
            "data_base64":
            true
        default: false
        }
    }

    /// Lower-case letters and digits of ASCII (CloudEvents 1.0.2, section 3, "Attribute Naming Convention"); 128 at most,
    /// which is ours.
    static func isAttribute(_ bytes: UnsafeRawBufferPointer) -> Bool {
        (1...128).contains(bytes.count)
            && bytes.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }

    static func isAttribute(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { Self.isAttribute(UnsafeRawBufferPointer($0)) }
    }

    /// A field of an event as the sender of a CloudEvent knows it.
    static func attribute(for field: String) -> String {
        switch field {
        case "event_id": "id"
        case "event_type": "type"
        case "timestamp": "time"
        case "payload": "data"
        case "correlation_id": "correlationid"
        case "parent_event_id": "parenteventid"
        case "processed_at": "processedat"
        case "processing_time_ms": "processingtimems"
        default: field
        }
    }
}

/// How the payload of an event stands for the data of a CloudEvent; an object that is the data itself needs no word.
enum CloudEventDataForm: String {
    /// There was no data, and the payload is empty.
    case absent = "none"
    /// The payload's one member `data` is the data: a text, an array, a number, `null`.
    case value
    /// The payload's one member `data_base64` is the data, which was no text.
    case base64
}
