// The order book of one market: the server's, and every newer snapshot of the stream.

import { subtractDecimals } from "./decimal.js";
import { byId, element, setAttribute, setText } from "./dom.js";
import { none } from "./format.js";
import { asText } from "./json.js";
import { read, reasonOf } from "./server.js";

const levels = 12;
/** After a delta the server's book is asked for: it has applied it already. Not oftener than this. */
const askEvery = 500;

export class Book {
    constructor(changed) {
        this.changed = changed;
        this.market = null;
        this.bids = [];
        this.asks = [];
        this.note = "";
        this.askedAt = 0;
        this.timer = null;
        this.rows = { bids: makeRows("bids"), asks: makeRows("asks") };
    }

    choose(market) {
        this.market = market;
        this.bids = [];
        this.asks = [];
        this.note = "Reading the book.";
        this.changed(true);
        this.ask();
    }

    take(record, event) {
        const market = this.market;
        if (market === null || record.type !== "order_book") return;
        if (record.symbol !== market.symbol || record.source !== market.source) return;
        const payload = event.payload ?? {};
        if (asText(payload.kind) === "delta") {
            this.askSoon();
            return;
        }
        this.use(payload);
    }

    use(payload) {
        this.bids = sides(payload.bids);
        this.asks = sides(payload.asks);
        this.note = "";
        this.changed();
    }

    askSoon() {
        if (this.timer !== null) return;
        this.timer = setTimeout(() => this.ask(), Math.max(0, this.askedAt + askEvery - Date.now()));
    }

    async ask() {
        clearTimeout(this.timer);
        this.timer = null;
        const market = this.market;
        this.askedAt = Date.now();
        try {
            const query = new URLSearchParams({ source: market.source, depth: String(levels) });
            const answer = await read(`/api/v1/order-books/${encodeURIComponent(market.symbol)}?${query}`);
            if (market === this.market) this.use(answer);
        } catch (error) {
            if (market !== this.market) return;
            this.note = `No book: ${reasonOf(error)}.`;
            this.changed();
        }
    }

    draw() {
        setText(byId("book-note"), this.note);
        byId("book-note").hidden = this.note === "";
        const shown = [...this.bids.slice(0, levels), ...this.asks.slice(0, levels)];
        const largest = Math.max(...shown.map(([, size]) => Number(size) || 0));
        drawSide(this.rows.bids, this.bids, largest);
        // The best ask stands next to the spread, so the asks run upwards.
        drawSide([...this.rows.asks].reverse(), this.asks, largest);
        const [bid, ask] = [this.bids[0]?.[0] ?? "", this.asks[0]?.[0] ?? ""];
        setText(byId("book-spread"), subtractDecimals(ask, bid) || none);
    }
}

/** `[[price, size], ...]` as text. */
function sides(list) {
    if (!Array.isArray(list)) return [];
    return list.slice(0, 100).filter(Array.isArray).map(([price, size]) => [asText(price), asText(size)]);
}

function makeRows(side) {
    const rows = Array.from({ length: levels }, () => {
        const bar = element("span", { class: "depth-bar", "aria-hidden": "true" });
        const size = element("span");
        const price = element("td", { class: "number" });
        const name = side === "bids" ? "bid" : "ask";
        const row = element("tr", { class: name }, element("th", { scope: "row", class: "soft" }, name), element("td", { class: "number sized" }, bar, size), price);
        row.hidden = true;
        return { element: row, bar, size, price };
    });
    byId(`book-${side}`).append(...rows.map((row) => row.element));
    return rows;
}

function drawSide(rows, list, largest) {
    rows.forEach((row, index) => {
        const [price, size] = list[index] ?? ["", ""];
        row.element.hidden = price === "";
        setText(row.price, price);
        setText(row.size, size);
        const share = largest > 0 ? Math.round(((Number(size) || 0) / largest) * 100) : 0;
        const width = `${share}%`;
        if (row.bar.style.width !== width) row.bar.style.width = width;
        setAttribute(row.bar, "data-side", price === "" ? "" : row.element.className);
    });
}
