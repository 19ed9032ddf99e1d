// The tree of an event's causes and consequences, laid out as a trace: a row an event, on one scale of time.

import { element } from "./dom.js";
import { duration } from "./format.js";
import { asNumber, asText } from "./json.js";
import { family } from "./summary.js";

const mostRows = 400;
const deepest = 12;

/**
 * The rows of a tree, causes before consequences. `start` and `end` are milliseconds since the root: an event that
 * carries a duration tells of work that ended with it, or, as a workflow's steps do, of work that began with it.
 */
export function spans(root) {
    const rows = [];
    // No recursion: the server decides how deep a tree is.
    const waiting = [{ node: root, depth: 0 }];
    let leftOut = 0;
    while (waiting.length > 0) {
        const { node, depth } = waiting.pop();
        const children = Array.isArray(node.children) ? node.children : [];
        for (const child of [...children].reverse()) waiting.push({ node: child, depth: depth + 1 });
        if (rows.length >= mostRows) {
            leftOut += 1;
            continue;
        }
        const at = asNumber(node.elapsed_ms) || 0;
        const length = lengthOf(node.event ?? {});
        const startsFirst = asText(node.event?.event_type) === "workflow.step";
        rows.push({
            event: node.event ?? {}, offset: asNumber(node.offset), depth: Math.min(depth, deepest), length,
            start: startsFirst ? at : at - (length || 0), end: startsFirst ? at + (length || 0) : at,
        });
    }
    return { rows, leftOut };
}

function lengthOf(event) {
    const taken = asNumber(event.payload?.duration_ms);
    return Number.isFinite(taken) ? taken : asNumber(event.processing_time_ms);
}

/** The rows as list items. `pick(id)` is called for the one that is chosen. */
export function drawTrace(rows, shownID, pick) {
    const first = Math.min(...rows.map((row) => row.start));
    const whole = Math.max(...rows.map((row) => row.end)) - first;
    return rows.map((row) => {
        const type = asText(row.event.event_type);
        const id = asText(row.event.event_id);
        const name = element("button", { type: "button", class: "type", "data-family": family(type) }, type);
        name.style.marginInlineStart = `${row.depth * 12}px`;
        if (id === shownID) name.setAttribute("aria-current", "true");
        name.addEventListener("click", () => pick(id));
        const bar = element("span", { class: "bar", "data-family": family(type) });
        const share = (value) => (whole > 0 ? (value / whole) * 100 : 0);
        bar.style.left = `${share(row.start - first)}%`;
        bar.style.width = `${share(row.end - row.start)}%`;
        const times = Number.isFinite(row.length) ? `+${duration(row.start)}, took ${duration(row.length)}` : `+${duration(row.start)}`;
        return element("li", {}, name, element("span", { class: "track", "aria-hidden": "true" }, bar), element("span", { class: "soft times" }, times));
    });
}
