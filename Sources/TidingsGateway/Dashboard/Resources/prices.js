// The latest prices: a row for each source and symbol.

import { compareDecimals } from "./decimal.js";
import { byId, element, setAttribute, setText } from "./dom.js";
import { age, count, none } from "./format.js";
import { Digits } from "./json.js";

const mostRows = 300;

export class Prices {
    constructor(pickSymbol) {
        this.pickSymbol = pickSymbol;
        this.quotes = new Map();
        this.rows = new Map();
        this.leftOut = 0;
    }

    take(record, event) {
        const payload = event.payload ?? {};
        if (record.symbol === "") return;
        if (record.type === "trade") {
            const quote = this.quote(record);
            if (quote !== null) takeTrade(quote, digits(payload.price));
        } else if (record.type === "ticker" || record.type === "order_book") {
            const quote = this.quote(record);
            if (quote === null) return;
            quote.bid = digits(payload.bid) || quote.bid;
            quote.ask = digits(payload.ask) || quote.ask;
            // A venue without trades here still has a last price in its ticker.
            if (!quote.hasTrades && payload.price !== undefined) takePrice(quote, digits(payload.price));
        }
    }

    quote(record) {
        const key = `${record.symbol}\u0000${record.source}`;
        let quote = this.quotes.get(key);
        if (quote === undefined) {
            if (this.quotes.size >= mostRows) {
                this.leftOut += 1;
                return null;
            }
            quote = {
                key, symbol: record.symbol, source: record.source, last: "", direction: 0, bid: "", ask: "",
                hasTrades: false, at: 0,
            };
            this.quotes.set(key, quote);
        }
        quote.at = Date.now();
        return quote;
    }

    draw() {
        byId("prices-empty").hidden = this.quotes.size > 0;
        byId("prices-table").hidden = this.quotes.size === 0;
        byId("prices-rest").hidden = this.leftOut === 0;
        setText(byId("prices-rest"), `The first ${count(mostRows)} are shown; there are more.`);
        if (this.rows.size !== this.quotes.size) this.addRows();
        const now = Date.now();
        for (const [key, row] of this.rows) drawRow(row, this.quotes.get(key), now);
    }

    addRows() {
        const sorted = [...this.quotes.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
        const body = byId("prices");
        sorted.forEach((quote, index) => {
            if (this.rows.has(quote.key)) return;
            const row = this.makeRow(quote);
            this.rows.set(quote.key, row);
            body.insertBefore(row.element, body.children[index] ?? null);
        });
    }

    makeRow(quote) {
        const symbol = element("button", { type: "button", class: "symbol", title: `Show the market ${quote.symbol}` }, quote.symbol);
        symbol.addEventListener("click", () => this.pickSymbol(quote.symbol, quote.source));
        const name = element("th", { scope: "row" }, symbol, " ", element("bdi", { class: "soft" }, quote.source));
        const arrow = element("span", { class: "arrow" });
        const last = element("span", {}, none);
        const bid = element("td", { class: "number" }, none);
        const ask = element("td", { class: "number" }, none);
        const seen = element("td", { class: "number soft age" }, none);
        const price = element("td", { class: "number last" }, arrow, last);
        return { element: element("tr", {}, name, price, bid, ask, seen), price, arrow, last, bid, ask, seen };
    }
}

function takeTrade(quote, price) {
    quote.hasTrades = true;
    takePrice(quote, price);
}

/** The tick is against the last different price. */
function takePrice(quote, price) {
    if (price === "" || price === quote.last) return;
    if (quote.last !== "") quote.direction = compareDecimals(price, quote.last) || quote.direction;
    quote.last = price;
}

/** Prices are numbers; foreign events may carry text. Anything else is none. */
function digits(value) {
    if (value instanceof Digits) return value.text;
    return typeof value === "string" ? value.slice(0, 40) : "";
}

function drawRow(row, quote, now) {
    setText(row.last, quote.last || none);
    setText(row.bid, quote.bid || none);
    setText(row.ask, quote.ask || none);
    setText(row.seen, age(now - quote.at));
    setAttribute(row.price, "data-tick", quote.direction > 0 ? "up" : quote.direction < 0 ? "down" : "");
    setText(row.arrow, quote.direction > 0 ? "▲" : quote.direction < 0 ? "▼" : "");
    setAttribute(row.arrow, "aria-label", quote.direction > 0 ? "up" : quote.direction < 0 ? "down" : "");
}
