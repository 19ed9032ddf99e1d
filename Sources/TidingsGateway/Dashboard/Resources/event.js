// What the server sends, read: socket frames, pages of history, and the record we keep of an event.

import { Digits, Reader, asNumber, asText, parse } from "./json.js";
import { summarize } from "./summary.js";

/** One event as the table keeps it: the few fields it filters by, and its text for everything else. */
export class EventRecord {
    constructor(offset, event, text) {
        const payload = event.payload ?? {};
        this.offset = offset;
        this.text = text;
        this.id = asText(event.event_id);
        this.type = asText(event.event_type);
        this.source = asText(event.source);
        this.timestamp = asText(event.timestamp);
        this.symbol = asText(payload.symbol);
        this.venueSymbol = asText(payload.venue_symbol);
        this.item = asText(payload.item);
        this.lineOfSummary = null;
    }

    get subject() {
        return this.symbol || this.item;
    }

    /** Read only when a row is drawn: most events of a fast stream never are. */
    get summary() {
        if (this.lineOfSummary === null) {
            const event = parse(this.text);
            this.lineOfSummary = summarize(this.type, event.payload ?? {});
        }
        return this.lineOfSummary;
    }
}

/**
 * A socket frame: `{ type, ... }` with its other members, and for an event its `record`. The event's source text is
 * cut out of the frame rather than written anew, so that the details show exactly what was sent.
 */
export function readFrame(text) {
    const reader = new Reader(text);
    const frame = Object.create(null);
    let dataText = "";
    reader.object((key) => {
        reader.skipSpace();
        const start = reader.at;
        frame[key] = reader.value();
        if (key === "data") dataText = text.slice(start, reader.at);
    });
    reader.end();
    if (frame.type === "event" && isObject(frame.data)) {
        frame.record = new EventRecord(asNumber(frame.offset), frame.data, dataText);
    }
    return frame;
}

/** The answer of `GET /api/v1/events`: a list of `{ record, event }` in the order of the answer. */
export function readPage(text) {
    const reader = new Reader(text);
    const entries = [];
    reader.object((key) => {
        if (key !== "events") {
            reader.value();
            return;
        }
        reader.array(() => entries.push(readEntry(reader)));
    });
    reader.end();
    return entries.filter((entry) => entry !== null);
}

/** An entry on its own: the answer of `GET /api/v1/events/{event_id}`. */
export function readEntryOf(text) {
    return readEntry(new Reader(text));
}

function readEntry(reader) {
    let offset = NaN;
    let event = null;
    let text = "";
    reader.object((key) => {
        reader.skipSpace();
        const start = reader.at;
        const value = reader.value();
        if (key === "offset") offset = asNumber(value);
        if (key === "event" && isObject(value)) {
            event = value;
            text = reader.text.slice(start, reader.at);
        }
    });
    return event === null ? null : { record: new EventRecord(offset, event, text), event };
}

function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Digits);
}
