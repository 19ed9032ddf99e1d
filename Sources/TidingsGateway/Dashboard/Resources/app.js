// The dashboard: one stream of events, handed to the views, which draw when the painter lets them.

import { Connectors } from "./connectors.js";
import { showDetails } from "./details.js";
import { byId, setAttribute, setText } from "./dom.js";
import { Filter } from "./filter.js";
import { count, duration, uptime } from "./format.js";
import { notice, noticeMissed } from "./notices.js";
import { Painter, calm } from "./paint.js";
import { Prices } from "./prices.js";
import { Refusal, newestEvents, poll } from "./server.js";
import { checkSession, whenSignedIn } from "./session.js";
import { EventSocket } from "./socket.js";
import { EventTable, rowsShown } from "./table.js";
import { Traffic } from "./traffic.js";

const painter = new Painter();
const traffic = new Traffic((type) => setFilter(type, byId("filter-symbol").value));
const connectors = new Connectors();
const prices = new Prices((symbol) => setFilter(byId("filter-type").value, symbol));

const paintHead = painter.add(drawHead, 125);
const paintTraffic = painter.add(() => traffic.draw(), 250);
const paintConnectors = painter.add(() => connectors.draw(), 250);
const paintPrices = painter.add(() => prices.draw(), calm(125));
const paintEvents = painter.add(() => table.draw(), calm(125));
const table = new EventTable(showDetails, paintEvents);

// The stream.

const connection = { state: "connecting", retryAt: 0 };
let startedAt = NaN;
let filter = Filter.fromAddress();

const socket = new EventSocket({
    event(record, event) {
        traffic.take(record, event);
        connectors.take(record, event);
        prices.take(record, event);
        if (filter.matches(record)) table.append(record);
        paintHead();
        paintPrices();
        if (record.type === "connector_status") paintConnectors();
    },
    state(name, retryIn) {
        connection.state = name;
        connection.retryAt = retryIn === undefined ? 0 : Date.now() + retryIn;
        // A browser does not tell why a WebSocket was refused.
        if (retryIn !== undefined) checkSession();
        paintHead();
    },
    subscribed(offset, isSameLog) {
        if (!isSameLog) table.restart();
        fillFromHistory(offset);
        paintHead();
    },
    missed: noticeMissed,
    refused: (message) => notice("refused", `The server says: ${message}`),
});

/**
 * Puts the newest events of the log below those that come in. With `upTo`, the offset after which the stream starts,
 * there is no seam; without it (the page was just opened) whatever overlaps is recognised by its offset.
 */
async function fillFromHistory(upTo) {
    const asked = filter;
    try {
        const entries = await newestEvents(asked, rowsShown, upTo);
        if (asked !== filter) return;
        table.merge(entries.map((entry) => entry.record).reverse());
        seedPrices(entries);
    } catch (error) {
        if (!(error instanceof Refusal)) return;
        const reason = error.status === 401 ? "it asks for an access token" : `it answered ${error.status}`;
        notice("history", `The server did not hand out earlier events: ${reason}.`);
    }
}

/** History goes into the prices only before the stream does: it is older. */
function seedPrices(entries) {
    if (traffic.rates.all.total > 0) return;
    for (const { record, event } of [...entries].reverse()) prices.take(record, event);
    paintPrices();
}

// The filter.

function setFilter(types, symbols) {
    filter = new Filter(types, symbols);
    filter.toAddress();
    showFilter();
    table.restart();
    fillFromHistory(socket.offset);
}

function showFilter() {
    const fields = [[byId("filter-type"), filter.types], [byId("filter-symbol"), filter.symbols]];
    for (const [field, values] of fields) {
        if (field !== document.activeElement) field.value = values.join(", ");
    }
    byId("filter-clear").hidden = filter.isOpen;
    setText(
        byId("events-empty"),
        filter.isOpen ? "No events yet. They appear here as they come." : "No event matches the filter so far.",
    );
}

let typing = null;
for (const id of ["filter-type", "filter-symbol"]) {
    byId(id).addEventListener("input", () => {
        clearTimeout(typing);
        typing = setTimeout(() => setFilter(byId("filter-type").value, byId("filter-symbol").value), 300);
    });
}
byId("filter").addEventListener("submit", (submit) => submit.preventDefault());
byId("filter-clear").addEventListener("click", () => {
    byId("filter-type").focus();
    byId("filter-type").value = "";
    setFilter("", "");
});

// Pausing and paging.

byId("pause").addEventListener("click", () => {
    if (table.isPaused) table.resume();
    else table.pause();
    paintHead(true);
});
for (const [id, pages] of [["newer", -1], ["older", 1]]) {
    byId(id).addEventListener("click", () => {
        table.turn(pages);
        paintHead(true);
    });
}

// The head of the page.

const stateTexts = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting" };

function drawHead() {
    const isPaused = table.isPaused && connection.state === "live";
    const wait = connection.retryAt - Date.now();
    setAttribute(byId("state"), "data-state", isPaused ? "paused" : connection.state);
    setText(byId("state-text"), isPaused ? "Paused" : stateTexts[connection.state]);
    setText(byId("state-wait"), wait > 900 ? `in ${duration(Math.ceil(wait / 1000) * 1000).replace(/[.,]0/, "")}` : "");
    setText(byId("pause"), table.isPaused ? "Resume" : "Pause");
    setText(byId("offset"), socket.offset === null ? "–" : count(socket.offset));
    setText(byId("uptime"), uptime((Date.now() - startedAt) / 1000));
}

// Start.

showFilter();
let isStarted = false;
whenSignedIn(() => {
    if (isStarted) {
        fillFromHistory(socket.offset);
        socket.retryNow();
        return;
    }
    isStarted = true;
    fillFromHistory(null);
    socket.connect();
    poll("/api/v1/metrics", (metrics) => {
        traffic.metrics = metrics;
        if (Number.isFinite(metrics.uptime_seconds)) startedAt = Date.now() - metrics.uptime_seconds * 1000;
        paintHead();
    });
    poll("/api/v1/connectors", (answer) => {
        connectors.report(answer);
        paintConnectors();
    });
});
for (const paint of [paintTraffic, paintConnectors, paintPrices, paintEvents, paintHead]) {
    paint();
    setInterval(paint, 1000);
}
