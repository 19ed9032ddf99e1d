// The dashboard: one stream of events, handed to the views, which draw when the painter lets them.

import { Connectors } from "./connectors.js";
import { byId, setAttribute, setText } from "./dom.js";
import { EventsView } from "./events.js";
import { count, duration, uptime } from "./format.js";
import { watchHealth } from "./health.js";
import { LettersView } from "./letters.js";
import { Markets } from "./markets.js";
import { notice, noticeMissed, passingNotice } from "./notices.js";
import { Painter, calm } from "./paint.js";
import { Prices } from "./prices.js";
import { go, startRouting, view, whenMoved } from "./router.js";
import { poll } from "./server.js";
import { checkSession, whenSignedIn } from "./session.js";
import { EventSocket } from "./socket.js";
import { Traffic } from "./traffic.js";

const painter = new Painter();
const traffic = new Traffic((type) => go("events", { type }));
const connectors = new Connectors();
const prices = new Prices((symbol, source) => go("markets", { symbol, source }));

/** A view draws only while it is looked at; what it would show is kept all the same. */
function paintIn(name, draw, interval) {
    return painter.add(() => { if (view() === name) draw(); }, interval);
}

const paintHead = painter.add(drawHead, 125);
const paintTraffic = paintIn("now", () => traffic.draw(), 250);
const paintConnectors = paintIn("now", () => connectors.draw(), 250);
const paintPrices = paintIn("now", () => prices.draw(), calm(125));
const paintEvents = paintIn("events", () => events.draw(), calm(125));
const paintMarket = paintIn("markets", () => markets.draw(), calm(125));
const paints = [paintHead, paintTraffic, paintConnectors, paintPrices, paintEvents, paintMarket];

const events = new EventsView(paintEvents, () => socket.offset, seedPrices);
const markets = new Markets(prices, paintMarket);
const letters = new LettersView();

// The stream.

const connection = { state: "connecting", retryAt: 0 };
let startedAt = NaN;

const socket = new EventSocket({
    event(record, event) {
        traffic.take(record, event);
        connectors.take(record, event);
        prices.take(record, event);
        events.take(record);
        markets.take(record, event);
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
        if (!isSameLog) events.table.restart();
        events.fill(offset);
        paintHead();
    },
    resumed(milliseconds) {
        passingNotice("resumed", `The connection was away for ${duration(milliseconds)}. What came meanwhile is here: nothing was missed.`);
    },
    missed(number, reason, end) {
        noticeMissed(number, reason, end);
        markets.refill();
    },
    refused: (message) => notice("refused", `The server says: ${message}`),
});

/** History goes into the prices only before the stream does: it is older. */
function seedPrices(entries) {
    if (traffic.rates.all.total > 0) return;
    for (const { record, event } of [...entries].reverse()) prices.take(record, event);
    paintPrices();
}

// The head of the page.

const stateTexts = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting" };

function drawHead() {
    const isPaused = view() === "events" && events.table.isPaused && connection.state === "live";
    const wait = connection.retryAt - Date.now();
    setAttribute(byId("state"), "data-state", isPaused ? "paused" : connection.state);
    setText(byId("state-text"), isPaused ? "Paused" : stateTexts[connection.state]);
    setText(byId("state-wait"), wait > 900 ? `in ${duration(Math.ceil(wait / 1000) * 1000).replace(/[.,]0/, "")}` : "");
    setText(byId("offset"), socket.offset === null ? "–" : count(socket.offset));
    setText(byId("uptime"), uptime((Date.now() - startedAt) / 1000));
}

function showDeadLetters(number) {
    byId("dead-count").hidden = !(number > 0);
    setText(byId("dead-count"), count(number));
}

// Start.

whenMoved((name, query) => {
    if (name === "events") events.show(query);
    if (name === "markets") markets.show(query);
    else markets.hide();
    if (name === "dead-letters") letters.show();
    for (const paint of paints) paint(true);
});

let isStarted = false;
whenSignedIn(() => {
    if (isStarted) {
        events.fill(socket.offset);
        if (view() === "dead-letters") letters.show();
        socket.retryNow();
        return;
    }
    isStarted = true;
    startRouting();
    events.fill(null);
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
    watchHealth(() => true, showDeadLetters);
});
for (const paint of paints) {
    paint();
    setInterval(paint, 1000);
}
