// A card for each connector: what state it is in and how fresh its data is.

import { byId, element, setAttribute, setText } from "./dom.js";
import { age, count, duration, none } from "./format.js";
import { asText } from "./json.js";

const mostSymbols = 8;
const mostConnectors = 100;

/** What a state means for somebody who looks at the colour only. */
const moods = new Map(Object.entries({
    subscribed: "good", connected: "good", connecting: "busy", resyncing: "busy", reconnecting: "bad", stale: "bad",
    stopped: "off",
}));

export class Connectors {
    constructor() {
        this.connectors = new Map();
        this.cards = new Map();
    }

    /** From `GET /api/v1/connectors`: everything there is to know, every two seconds. */
    report(answer) {
        if (!Array.isArray(answer.connectors)) return;
        for (const reported of answer.connectors) {
            const connector = this.connector(String(reported.connector));
            if (connector === null) continue;
            Object.assign(connector, {
                state: String(reported.state ?? ""),
                reason: String(reported.reason ?? ""),
                symbols: Array.isArray(reported.symbols) ? reported.symbols.map(String) : [],
                latency: reported.latency_ms,
                messages: reported.messages,
                reconnects: reported.reconnects,
                resyncs: reported.resyncs,
            });
            if (Number.isFinite(reported.message_age_ms)) connector.heardAt = Date.now() - reported.message_age_ms;
        }
    }

    /** From the stream: changes of state as they happen, and that something came at all. */
    take(record, event) {
        if (record.type !== "connector_status") {
            const connector = this.connectors.get(record.source);
            if (connector !== undefined) connector.heardAt = Date.now();
            return;
        }
        const payload = event.payload ?? {};
        const connector = this.connector(asText(payload.connector) || record.source);
        if (connector === null) return;
        const state = asText(payload.state);
        if (record.symbol === "") {
            connector.state = state;
            connector.reason = asText(payload.reason);
            connector.troubled.clear();
        } else if (state === "subscribed" || state === "connected") {
            connector.troubled.delete(record.symbol);
        } else if (connector.troubled.size < mostSymbols) {
            connector.troubled.set(record.symbol, state);
        }
    }

    connector(name) {
        let connector = this.connectors.get(name);
        if (connector === undefined) {
            if (this.connectors.size >= mostConnectors) return null;
            connector = { name, state: "", reason: "", symbols: [], heardAt: NaN, troubled: new Map() };
            this.connectors.set(name, connector);
        }
        return connector;
    }

    draw() {
        byId("connectors-empty").hidden = this.connectors.size > 0;
        for (const connector of this.connectors.values()) {
            let card = this.cards.get(connector.name);
            if (card === undefined) {
                card = makeCard(connector.name);
                this.cards.set(connector.name, card);
                byId("connector-cards").append(card.element);
            }
            drawCard(card, connector);
        }
    }
}

function makeCard(name) {
    const state = element("span", { class: "state" });
    const symbols = element("p", { class: "symbols" });
    const reason = element("p", { class: "reason" });
    const facts = element("dl", { class: "facts" });
    const values = new Map();
    for (const label of ["Last seen", "Latency", "Messages", "Reconnects", "Resyncs"]) {
        const value = element("dd", {}, none);
        values.set(label, value);
        facts.append(element("div", {}, element("dt", {}, label), value));
    }
    const heading = element("h3", {}, element("bdi", {}, name));
    const card = element("li", { class: "card" }, element("div", { class: "card-head" }, heading, state), symbols, reason, facts);
    return { element: card, state, symbols, reason, values };
}

function drawCard(card, connector) {
    setText(card.state, connector.state || "unknown");
    setAttribute(card.state, "data-mood", moods.get(connector.state) ?? "off");
    const rest = connector.symbols.length - mostSymbols;
    const symbols = connector.symbols.slice(0, mostSymbols).join("  ");
    setText(card.symbols, rest > 0 ? `${symbols}  and ${rest} more` : symbols);
    const troubles = [...connector.troubled].map(([symbol, state]) => `${symbol} ${state}`);
    const reason = [connector.reason, ...troubles].filter((part) => part !== "").join(", ");
    setText(card.reason, reason);
    card.reason.hidden = reason === "";
    setText(card.values.get("Last seen"), age(Date.now() - connector.heardAt));
    drawFact(card, "Latency", connector.latency, duration);
    drawFact(card, "Messages", connector.messages, count);
    drawFact(card, "Reconnects", connector.reconnects, count);
    drawFact(card, "Resyncs", connector.resyncs, count);
}

function drawFact(card, label, value, format) {
    const target = card.values.get(label);
    target.parentElement.hidden = !Number.isFinite(value);
    setText(target, format(value));
}
