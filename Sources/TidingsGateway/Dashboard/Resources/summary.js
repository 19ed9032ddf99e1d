// One line about an event, by its type; and the family that gives the type its colour.

import { duration } from "./format.js";
import { asText } from "./json.js";

const market = new Set(["trade", "ticker", "order_book", "ohlcv", "funding", "open_interest"]);
const system = new Set(["connector_status", "heartbeat"]);
const scraping = /^(?:extraction|login|selector|workflow)\./;
const alarming = /(?:^|[._:-])(?:error|failed|alert|timeout|captcha_detected)$/;

export const families = ["market", "scraping", "system", "alert", "other"];

/** The family of an event type, one of `families`. */
export function family(type) {
    if (market.has(type)) return "market";
    if (alarming.test(type)) return "alert";
    if (scraping.test(type)) return "scraping";
    return system.has(type) ? "system" : "other";
}

/** The line. It is text for a person, made of the payload's own values; nothing in it is markup. */
export function summarize(type, payload) {
    const writer = Object.hasOwn(writers, type) ? writers[type] : null;
    const line = writer === null ? "" : join(writer(new Fields(payload)));
    return line === "" ? fieldsAsTheyCome(payload) : line.slice(0, 300);
}

/** Access to a payload that answers with text, and with nothing where a field is absent. */
class Fields {
    constructor(payload) {
        this.payload = payload;
    }

    text(name) {
        return asText(this.payload[name]);
    }

    /** `text` with words around it, or nothing. */
    with(name, before, after = "") {
        const text = this.text(name);
        return text === "" ? "" : `${before}${text}${after}`;
    }

    milliseconds(name) {
        const text = this.text(name);
        return text === "" ? "" : duration(Number(text));
    }

    count(name) {
        const value = this.payload[name];
        return Array.isArray(value) ? value.length : 0;
    }

    list(name, before = "") {
        const value = this.payload[name];
        return Array.isArray(value) && value.length > 0 ? before + value.map(asText).join(", ") : "";
    }
}

const writers = {
    "trade": (f) => [f.text("side"), f.text("volume"), f.with("price", "at ")],
    "ticker": (f) => [f.with("price", "last "), quote(f), f.with("volume", "volume ")],
    "order_book": (f) => [quote(f), levels(f)],
    "ohlcv": (f) => [
        f.text("interval"), f.with("open", "O "), f.with("high", "H "), f.with("low", "L "), f.with("close", "C "),
        f.with("volume", "V "), f.payload.closed === true ? "closed" : "open",
    ],
    "funding": (f) => [f.with("rate", "rate ")],
    "open_interest": (f) => [f.with("value", "value ")],
    "connector_status": (f) => [
        f.text("connector"), f.with("state", "is "), f.with("attempt", "attempt "),
        f.with("retry_in_ms", "retry in ", " ms"), f.with("reason", "· "),
    ],
    "heartbeat": (f) => [
        f.with("uptime_seconds", "up ", " s"), f.with("published", "published "),
        f.with("delivered", "delivered "), f.with("dropped", "dropped "),
    ],
    "error": (f) => [f.text("error_code"), f.with("message", "· ")],
    "price_alert": (f) => [
        f.text("direction"), f.with("change_percent", "", " %"), f.with("window", "in "),
        f.with("price", "to "), f.with("reference_price", "from "),
    ],
    "extraction.start": (f) => [f.text("url")],
    "extraction.field_found": (f) => [f.text("field"), f.with("value", "= ")],
    "extraction.complete": (f) => [
        `${f.count("fields_found")} found`, f.list("fields_missing", "missing "), f.milliseconds("duration_ms"),
    ],
    "extraction.error": (f) => [f.text("error_code"), f.with("message", "· ")],
    "login.start": (f) => [f.text("url")],
    "login.success": (f) => [f.milliseconds("duration_ms"), f.list("evidence")],
    "login.failed": (f) => [f.text("reason"), f.list("evidence")],
    "login.captcha_detected": (f) => [f.text("vendor"), f.list("evidence")],
    "selector.attempt": (f) => [f.text("name"), f.text("selector"), f.with("attempt", "attempt ")],
    "selector.found": (f) => [f.text("name"), f.text("selector"), f.with("count", "", " found")],
    "selector.not_found": (f) => [f.text("name"), f.text("selector")],
    "selector.timeout": (f) => [f.text("name"), f.text("selector"), f.with("timeout_ms", "after ", " ms")],
    "workflow.start": (f) => [f.text("workflow"), f.with("steps", "", " steps")],
    "workflow.step": (f) => [
        f.with("index", "#"), f.text("action"), f.text("name"), f.text("status"), f.milliseconds("duration_ms"),
    ],
    "workflow.complete": (f) => [f.text("workflow"), f.text("status"), f.milliseconds("duration_ms")],
    "workflow.error": (f) => [f.with("index", "#"), f.text("action"), f.text("error_code"), f.with("message", "· ")],
};

function quote(f) {
    const bid = f.text("bid");
    const ask = f.text("ask");
    if (bid === "" && ask === "") return "";
    return `${bid || "–"} / ${ask || "–"}${sizes(f)}`;
}

function sizes(f) {
    const bid = f.text("bid_volume");
    const ask = f.text("ask_volume");
    return bid === "" && ask === "" ? "" : `, sizes ${bid || "–"} / ${ask || "–"}`;
}

function levels(f) {
    return f.text("kind") === "delta"
        ? `delta of ${f.count("bids") + f.count("asks")}`
        : `${f.count("bids")} + ${f.count("asks")} levels`;
}

/** For a type that we do not know: its first fields. */
function fieldsAsTheyCome(payload) {
    const parts = [];
    for (const key in payload) {
        parts.push(`${key}: ${asText(payload[key])}`);
        if (parts.length === 6) break;
    }
    return parts.join(", ").slice(0, 300);
}

function join(parts) {
    return parts.filter((part) => part !== "").join("  ");
}
