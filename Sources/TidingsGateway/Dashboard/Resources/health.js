// What the server measures of itself, out of its Prometheus text: dead letters and the log. It belongs to the
// admin scope; who does not have it does not see these figures.

import { byId } from "./dom.js";
import { count, duration } from "./format.js";
import { Refusal, readText } from "./server.js";
import { showFact } from "./traffic.js";

const interval = 5000;
const sample = /^([a-z_]+)(?:\{[^}]*\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)$/i;

/** The metrics without labels, by name. */
export function gauges(text) {
    const values = new Map();
    for (const line of text.split("\n")) {
        const match = line.startsWith("#") ? null : sample.exec(line);
        if (match !== null && !values.has(match[1])) values.set(match[1], Number(match[2]));
    }
    return values;
}

/** Asks while the page is looked at; `isWanted()` says whether anything of it is. `report(deadLetters)` gets the count. */
export function watchHealth(isWanted, report) {
    let isAsking = false;
    const ask = async () => {
        if (isAsking || document.hidden || !isWanted()) return;
        isAsking = true;
        try {
            const values = gauges(await readText("/metrics"));
            show(values);
            report(values.get("tidings_dead_letters") ?? NaN);
        } catch (error) {
            if (error instanceof Refusal && (error.status === 403 || error.status === 404)) clearInterval(timer);
        } finally {
            isAsking = false;
        }
    };
    const timer = setInterval(ask, interval);
    ask();
}

function show(values) {
    const fact = (id, value, format) => showFact(id, Number.isFinite(value) ? format(value) : null);
    fact("dead-letters-total", values.get("tidings_dead_letters"), count);
    fact("stored", values.get("tidings_log_head_offset") - values.get("tidings_log_oldest_offset") + 1, count);
    fact("log-lag", values.get("tidings_log_lag_seconds") * 1000, duration);
    byId("dead-letters-total").classList.toggle("bad", values.get("tidings_dead_letters") > 0);
}
