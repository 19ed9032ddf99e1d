// How much comes in, of what, and how late: the panels "Traffic" and "By type".

import { colour, drawBars, drawSparkline, roundedUp } from "./chart.js";
import { byId, element, setAttribute, setText } from "./dom.js";
import { count, duration, instant, none, rate } from "./format.js";
import { Counter, LagMeter, Rates, seconds } from "./rates.js";
import { families, family } from "./summary.js";

const fewTypes = 7;

export class Traffic {
    constructor(pickType) {
        this.pickType = pickType;
        this.rates = new Rates();
        this.lag = new LagMeter();
        this.metrics = null;
        this.rows = new Map();
        this.showsAll = false;
        this.rest = byId("types-rest");
        this.rest.addEventListener("click", () => {
            this.showsAll = !this.showsAll;
            this.draw();
        });
        this.legend = new Map(families.map((name) => {
            const value = element("b");
            const item = element("li", { "data-family": name }, name, " ", value);
            byId("legend").append(item);
            return [name, { item, value }];
        }));
    }

    take(record, event) {
        const now = Date.now();
        this.rates.count(record.type, now);
        if (!this.lag.wants(now)) return;
        // A candle's own timestamp is its start: market events count only from when the venue's frame was read.
        const receivedAt = event.payload?.received_at;
        if (typeof receivedAt === "string") this.lag.add(now - instant(receivedAt), now);
        else if (family(record.type) !== "market") this.lag.add(now - instant(record.timestamp), now);
    }

    draw() {
        const second = Math.floor(Date.now() / 1000);
        const span = this.rates.span(second);
        setText(byId("rate"), rate(this.rates.all.rate(second, span)));
        this.drawChart(second, span);
        this.drawStatistics();
        this.drawTypes(second, span);
    }

    drawChart(second, span) {
        const layers = new Map(families.map((name) => [name, { values: new Array(seconds).fill(0), rate: 0 }]));
        for (const [type, counter] of this.rates.types) {
            const layer = layers.get(family(type));
            counter.minute(second).forEach((value, index) => { layer.values[index] += value; });
            layer.rate += counter.rate(second, span);
        }
        const highest = Math.max(...this.rates.all.minute(second));
        const top = roundedUp(highest);
        drawBars(
            byId("chart"), families.map((name) => ({ values: layers.get(name).values, colour: colour(`--${name}`) })),
            top, colour("--line"),
        );
        setText(byId("chart-top"), `${count(top)}/s`);
        setAttribute(byId("chart"), "aria-label", `Events per second over the last minute, at most ${count(highest)}`);
        for (const [name, { item, value }] of this.legend) {
            item.hidden = layers.get(name).values.every((counted) => counted === 0);
            setText(value, `${rate(layers.get(name).rate)}/s`);
        }
    }

    drawStatistics() {
        const lag = this.lag.median(Date.now());
        setText(byId("lag"), lag < 0 ? "clocks differ" : duration(lag));
        const metrics = this.metrics ?? {};
        setText(byId("received"), count(this.rates.all.total));
        for (const name of ["published", "delivered", "dropped", "failed", "duplicates"]) {
            showFact(name, metrics[name] === undefined ? null : count(metrics[name]));
            byId(name).classList.toggle("bad", metrics[name] > 0 && (name === "dropped" || name === "failed"));
        }
        const clients = metrics.clients ?? {};
        showFact("clients", clients.connected === undefined ? null : count(clients.connected));
        showFact("slow-clients", clients.closed_as_slow === undefined ? null : count(clients.closed_as_slow));
        const latency = metrics.latency_ms;
        const values = ["p50", "p95", "p99"].map((name) => latency?.[name]);
        const isKnown = values.some((value) => Number.isFinite(value));
        showFact("latency", isKnown ? values.map((value) => duration(value)).join(" · ") : null);
    }

    drawTypes(second, span) {
        const totals = new Map();
        for (const [type, total] of Object.entries(this.metrics?.by_type ?? {})) totals.set(type, total);
        for (const [type, counter] of this.rates.types) {
            totals.set(type, Math.max(counter.total, totals.get(type) ?? 0));
        }
        const sorted = [...totals].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
        const shown = this.showsAll ? sorted.slice(0, 200) : sorted.slice(0, fewTypes);
        for (const [type, row] of this.rows) {
            if (shown.some(([name]) => name === type)) continue;
            row.element.remove();
            this.rows.delete(type);
        }
        const body = byId("types");
        shown.forEach(([type, total], index) => {
            const row = this.row(type);
            if (body.children[index] !== row.element) body.insertBefore(row.element, body.children[index] ?? null);
            const counter = this.rates.types.get(type) ?? new Counter();
            setText(row.rate, rate(counter.rate(second, span)));
            setText(row.total, count(total));
            drawSparkline(row.canvas, counter.minute(second), colour(`--${family(type)}`));
        });
        byId("types-empty").hidden = sorted.length > 0;
        this.rest.hidden = sorted.length <= fewTypes;
        setAttribute(this.rest, "aria-expanded", String(this.showsAll));
        setText(this.rest, this.showsAll ? "Show fewer" : `Show all ${count(sorted.length)} types`);
    }

    row(type) {
        let row = this.rows.get(type);
        if (row !== undefined) return row;
        const name = element("button", { type: "button", class: "type", title: `Show only ${type}` }, type);
        name.dataset.family = family(type);
        name.addEventListener("click", () => this.pickType(type));
        const canvas = element("canvas", { "aria-hidden": "true" });
        const perSecond = element("td", { class: "number" }, none);
        const total = element("td", { class: "number soft" }, none);
        const line = element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, canvas), perSecond, total);
        row = { element: line, canvas, rate: perSecond, total };
        this.rows.set(type, row);
        return row;
    }
}

/** A server that does not count something does not get an empty field for it. */
export function showFact(id, text) {
    const target = byId(id);
    target.parentElement.hidden = text === null;
    if (text !== null) setText(target, text);
}
