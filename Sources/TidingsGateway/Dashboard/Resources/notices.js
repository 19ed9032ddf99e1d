// Things the viewer has to know: events missed, a server that refuses. One line each, until dismissed.

import { count } from "./format.js";
import { byId, element, setText } from "./dom.js";
import { address } from "./router.js";

const list = byId("notices");
const lines = new Map();

/** Shows a line, or replaces the one of the same key. `link` is `{ text, href }`, or nothing. */
export function notice(key, text, link = null) {
    let line = lines.get(key);
    if (line === undefined) {
        const message = element("span");
        const more = element("a");
        const dismiss = element("button", { type: "button", class: "quiet" }, "Dismiss");
        line = { message, more, element: element("li", {}, message, more, dismiss) };
        dismiss.addEventListener("click", () => dismissNotice(key));
        lines.set(key, line);
        list.append(line.element);
    }
    setText(line.message, text);
    line.more.hidden = link === null;
    if (link === null) return;
    setText(line.more, link.text);
    line.more.href = link.href;
}

export function dismissNotice(key) {
    lines.get(key)?.element.remove();
    lines.delete(key);
}

/** A line that goes by itself: good news. */
export function passingNotice(key, text, milliseconds = 12_000) {
    notice(key, text);
    const line = lines.get(key);
    clearTimeout(line.timer);
    line.timer = setTimeout(() => dismissNotice(key), milliseconds);
}

const missed = { count: 0, times: 0, since: null };

/**
 * Adds to the one line about missed events. `number` is null when the server could not tell how many, `end` the offset
 * below which the log has them.
 */
export function noticeMissed(number, reason, end) {
    if (!lines.has("missed")) Object.assign(missed, { count: 0, times: 0, since: new Date() });
    missed.times += 1;
    missed.count = number === null || missed.count === null ? null : missed.count + number;
    const events = missed.count === null ? "Some events" : `${count(missed.count)} ${missed.count === 1 ? "event" : "events"}`;
    const times = missed.times === 1 ? "" : ` in ${count(missed.times)} gaps`;
    const link = end === null ? null : { text: "Show the last of them", href: address("events", { before: String(end) }) };
    notice("missed", `${events} missed${times} since ${missed.since.toLocaleTimeString()}: ${reason}.`, link);
}
