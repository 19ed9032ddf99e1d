// The view of one market: its candles, book and trades, and what every other source says about the same symbol.

import { Book } from "./book.js";
import { Candles } from "./candles.js";
import { subtractDecimals } from "./decimal.js";
import { byId, element, setAttribute, setText } from "./dom.js";
import { Filter } from "./filter.js";
import { age, clock, none } from "./format.js";
import { asText } from "./json.js";
import { remember } from "./router.js";
import { newestEvents, reasonOf } from "./server.js";

const tapeLength = 40;

/** `prices` are the quotes of all markets, which are kept whichever view is shown. */
export class Markets {
    constructor(prices, changed) {
        this.prices = prices;
        this.changed = changed;
        this.market = null;
        this.wanted = new URLSearchParams();
        this.isShown = false;
        this.candles = new Candles(changed);
        this.book = new Book(changed);
        this.trades = [];
        this.tape = Array.from({ length: tapeLength }, () => makeTrade());
        byId("tape").append(...this.tape.map((row) => row.element));
        this.beside = new Map();
        this.symbol = byId("market-symbol");
        this.source = byId("market-source");
        this.interval = byId("market-interval");
        for (const field of [this.symbol, this.source, this.interval]) {
            field.addEventListener("change", () => {
                if (field === this.symbol) this.source.value = "";
                this.wanted = new URLSearchParams({
                    symbol: this.symbol.value, source: field === this.symbol ? "" : this.source.value, interval: this.interval.value,
                });
                this.choose(true);
            });
        }
        byId("market").addEventListener("submit", (submit) => submit.preventDefault());
    }

    show(query) {
        this.isShown = true;
        this.wanted = query;
        this.choose(false);
    }

    hide() {
        this.isShown = false;
    }

    take(record, event) {
        if (!this.isShown || this.market === null) return;
        this.candles.take(record, event);
        this.book.take(record, event);
        if (record.type === "trade" && record.symbol === this.market.symbol && record.source === this.market.source) {
            this.trade(record, event);
            this.changed();
        }
    }

    trade(record, event) {
        const payload = event.payload ?? {};
        this.trades.push({
            offset: record.offset, timestamp: record.timestamp, side: asText(payload.side), price: asText(payload.price), volume: asText(payload.volume),
        });
        if (this.trades.length > tapeLength) this.trades.shift();
    }

    /** After the stream was interrupted for longer than it resumes over. */
    refill() {
        if (!this.isShown || this.market === null) return;
        this.candles.fill(true);
        this.book.ask();
        this.fillTape();
    }

    /** What the address asks for, as far as there is such a market; the first there is otherwise. */
    choose(isAsked) {
        const quotes = [...this.prices.quotes.values()];
        const symbols = [...new Set([...quotes.map((quote) => quote.symbol), this.wanted.get("symbol") ?? ""])].filter((name) => name !== "").sort();
        // Once something is shown it stays, whatever else turns up.
        const symbol = this.wanted.get("symbol") || this.market?.symbol || symbols[0] || "";
        const present = this.market?.symbol === symbol ? this.market.source : "";
        const sources = quotes.filter((quote) => quote.symbol === symbol).map((quote) => quote.source).sort();
        const asked = this.wanted.get("source") || "";
        if (asked !== "" && !sources.includes(asked)) sources.push(asked);
        const source = asked || present || sources[0] || "";
        const interval = this.wanted.get("interval") || "1m";
        offer(this.symbol, symbols, symbol);
        offer(this.source, sources, source);
        offer(this.interval, [...this.interval.options].map((option) => option.value).concat(interval), interval);
        if (symbol === "" || source === "") return;
        const market = this.market;
        if (market !== null && market.symbol === symbol && market.source === source && market.interval === interval) return;
        const isOther = market === null || market.symbol !== symbol || market.source !== source;
        this.market = { symbol, source, interval };
        if (isAsked) remember({ symbol, source, interval });
        setText(byId("market-title"), `${symbol} at ${source}`);
        this.candles.choose(this.market);
        if (!isOther) return;
        this.book.choose(this.market);
        this.trades = [];
        this.fillTape();
    }

    async fillTape() {
        const market = this.market;
        try {
            const entries = await newestEvents(new Filter({ type: "trade", symbol: market.symbol, source: market.source }), tapeLength);
            if (market !== this.market) return;
            const live = this.trades;
            const first = live[0]?.offset ?? Infinity;
            this.trades = [];
            for (const { record, event } of entries.reverse()) if (record.offset < first) this.trade(record, event);
            this.trades = [...this.trades, ...live].slice(-tapeLength);
            this.changed();
        } catch (error) {
            if (market === this.market) setText(byId("tape-empty"), `No earlier trades: ${reasonOf(error)}.`);
        }
    }

    draw() {
        if (!this.isShown) return;
        // The first quote of a market, or of another source of it, may come at any time.
        this.choose(false);
        if (this.market === null) return;
        this.candles.draw();
        this.book.draw();
        this.drawQuote();
        this.drawTape();
        this.drawBeside();
    }

    drawQuote() {
        const quote = this.prices.quotes.get(`${this.market.symbol}\u0000${this.market.source}`);
        setText(byId("market-last"), quote?.last || none);
        setText(byId("market-bid"), quote?.bid || none);
        setText(byId("market-ask"), quote?.ask || none);
        setText(byId("market-spread"), spread(quote) || none);
    }

    drawTape() {
        byId("tape-empty").hidden = this.trades.length > 0;
        byId("tape-table").hidden = this.trades.length === 0;
        const today = new Date();
        this.tape.forEach((row, index) => {
            const trade = this.trades[this.trades.length - 1 - index] ?? null;
            row.element.hidden = trade === null;
            if (trade === null || row.trade === trade) return;
            row.trade = trade;
            setText(row.time, clock(trade.timestamp, today));
            setAttribute(row.time, "title", trade.timestamp);
            setText(row.side, trade.side);
            setText(row.price, trade.price);
            setText(row.volume, trade.volume);
            setAttribute(row.side, "data-tick", trade.side === "buy" ? "up" : trade.side === "sell" ? "down" : "");
        });
    }

    drawBeside() {
        const quotes = [...this.prices.quotes.values()].filter((quote) => quote.symbol === this.market.symbol);
        const body = byId("beside");
        for (const [source, row] of this.beside) {
            if (quotes.some((quote) => quote.source === source)) continue;
            row.element.remove();
            this.beside.delete(source);
        }
        const now = Date.now();
        for (const quote of quotes) {
            let row = this.beside.get(quote.source);
            if (row === undefined) {
                row = makeBeside(quote.source);
                this.beside.set(quote.source, row);
                body.append(row.element);
            }
            [quote.last, quote.bid, quote.ask, spread(quote), age(now - quote.at)].forEach((text, index) => setText(row.cells[index], text || none));
        }
    }
}

function spread(quote) {
    return quote === undefined ? "" : subtractDecimals(quote.ask, quote.bid);
}

/** Fills a list to choose from, only when it differs: a list that is open must not close. */
function offer(field, values, chosen) {
    const wanted = [...new Set(values)];
    const present = [...field.options].map((option) => option.value);
    if (wanted.length !== present.length || wanted.some((value, index) => value !== present[index])) {
        field.replaceChildren(...wanted.map((value) => element("option", {}, value)));
    }
    if (field.value !== chosen) field.value = chosen;
}

function makeTrade() {
    const time = element("td", { class: "soft" });
    const side = element("td");
    const price = element("td", { class: "number" });
    const volume = element("td", { class: "number" });
    const row = element("tr", {}, time, side, price, volume);
    row.hidden = true;
    return { element: row, trade: null, time, side, price, volume };
}

function makeBeside(source) {
    const cells = Array.from({ length: 5 }, (_, index) => element("td", { class: index === 4 ? "number soft age" : "number" }, none));
    return { element: element("tr", {}, element("th", { scope: "row" }, element("bdi", {}, source)), ...cells), cells };
}
