// The candles of one market: history from the server, then the stream's own candles on top, on TradingView's Lightweight
// Charts. Prices become JavaScript numbers here, for drawing and nothing else: what is written out is the venue's text.

import { colour } from "./chart.js";
import { byId, setText } from "./dom.js";
import { clock, instant } from "./format.js";
import { asText } from "./json.js";
import { read, reasonOf } from "./server.js";

const library = "lightweight-charts.js";
const mostCandles = 5000;
const catchUpEvery = 10_000;

let loading = null;

/** The library, or null where the program was built without it. It is a plain script, not a module. */
function charts() {
    loading ??= new Promise((resolve) => {
        const script = document.createElement("script");
        script.src = library;
        script.addEventListener("load", () => resolve(globalThis.LightweightCharts ?? null));
        script.addEventListener("error", () => resolve(null));
        document.head.append(script);
    });
    return loading;
}

/** A candle as the chart wants it, with its digits kept beside. Null for what is none. */
function candle(values) {
    const milliseconds = instant(asText(values.timestamp));
    const shape = { time: Math.floor(milliseconds / 1000) };
    for (const name of ["open", "high", "low", "close"]) shape[name] = Number(asText(values[name]) || NaN);
    if (!Object.values(shape).every(Number.isFinite)) return null;
    const digits = {};
    for (const name of ["open", "high", "low", "close", "volume"]) digits[name] = asText(values[name]);
    return { shape, digits, timestamp: asText(values.timestamp) };
}

export class Candles {
    constructor(changed) {
        this.changed = changed;
        this.market = null;
        this.chart = null;
        this.series = null;
        this.candles = new Map();
        this.recent = new Map();
        this.hovered = null;
        this.undrawn = new Map();
        this.readAt = 0;
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.dress());
    }

    /** Another market: `{ symbol, source, interval }`. */
    choose(market) {
        this.market = market;
        this.candles.clear();
        this.recent.clear();
        this.undrawn.clear();
        this.hovered = null;
        this.series?.setData([]);
        this.note("Reading the log.");
        this.fill(true);
    }

    /** From the stream. It is kept until the history is there, and wins over it: it is the newer of the two. */
    take(record, event) {
        const market = this.market;
        if (market === null || record.type !== "ohlcv" || record.symbol !== market.symbol) return;
        const payload = event.payload ?? {};
        if (asText(payload.interval) !== market.interval || !this.isSource(record, payload)) return;
        const made = candle(payload);
        if (made === null) return;
        if (this.recent.size > 100) this.recent.delete(this.recent.keys().next().value);
        this.recent.set(made.shape.time, made);
        this.put(made);
        this.changed();
    }

    /** Candles that we make ourselves have the source `candles`, and name the venue they are made from. */
    isSource(record, payload) {
        return record.source === this.market.source || asText(payload.of) === this.market.source;
    }

    put(made) {
        this.candles.set(made.shape.time, made);
        this.undrawn.set(made.shape.time, made);
    }

    /** Reads the history; all of it, or what is newer than the last candle but one. */
    async fill(isWhole) {
        const market = this.market;
        if (market === null) return;
        this.readAt = Date.now();
        const query = new URLSearchParams({ symbol: market.symbol, interval: market.interval, source: market.source });
        const last = isWhole ? null : [...this.candles.values()].sort((a, b) => a.shape.time - b.shape.time).at(-2);
        if (last) query.set("since", last.timestamp);
        try {
            this.recent.clear();
            const answer = await read(`/api/v1/candles?${query}`);
            if (market !== this.market) return;
            for (const values of answer.candles ?? []) {
                const made = candle(values);
                if (made !== null && !this.recent.has(made.shape.time)) this.put(made);
            }
            this.note(this.candles.size === 0 ? `No ${market.interval} candles of ${market.symbol} from ${market.source}.` : "");
            await this.prepare();
            this.bound();
            this.reset();
        } catch (error) {
            if (market === this.market) this.note(`No candles: ${reasonOf(error)}.`);
        }
    }

    bound() {
        if (this.candles.size <= mostCandles) return;
        const times = [...this.candles.keys()].sort((a, b) => a - b);
        for (const time of times.slice(0, times.length - mostCandles)) this.candles.delete(time);
    }

    async prepare() {
        if (this.series !== null) return;
        const library = await charts();
        if (library === null) {
            byId("candle-chart").hidden = true;
            this.note("This program was built without the chart library (make build fetches it). The newest candle is written out above, and everything else works.");
            return;
        }
        if (this.series !== null) return;
        this.chart = library.createChart(byId("candle-chart"), {
            // Its logo would bring an inline style, which our content policy forbids; the page names TradingView instead.
            autoSize: true, layout: { attributionLogo: false }, timeScale: { rightOffset: 4, barSpacing: 9 },
        });
        this.series = this.chart.addSeries(library.CandlestickSeries, { borderVisible: false });
        this.dress();
        this.chart.subscribeCrosshairMove((move) => {
            this.hovered = move.time ?? null;
            this.changed();
        });
    }

    /** The colours of the style sheet, times in the viewer's zone. */
    dress() {
        if (this.chart === null) return;
        const line = { color: colour("--line") };
        const local = (time, options) => new Date(time * 1000).toLocaleString(undefined, options);
        this.chart.applyOptions({
            layout: {
                background: { color: "transparent" }, textColor: colour("--soft"),
                fontFamily: getComputedStyle(document.body).fontFamily,
            },
            grid: { vertLines: line, horzLines: line },
            rightPriceScale: { borderColor: colour("--line") },
            timeScale: {
                borderColor: colour("--line"), timeVisible: true,
                tickMarkFormatter: (time, kind) => local(time, kind < 3 ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" }),
            },
            localization: { timeFormatter: (time) => local(time, { dateStyle: "medium", timeStyle: "short" }) },
        });
        this.series.applyOptions({
            upColor: colour("--good"), wickUpColor: colour("--good"), downColor: colour("--bad"), wickDownColor: colour("--bad"),
        });
    }

    reset() {
        if (this.series === null) return;
        const sorted = [...this.candles.values()].sort((a, b) => a.shape.time - b.shape.time);
        const decimals = Math.min(12, Math.max(0, ...sorted.slice(-50).map((one) => one.digits.close.split(".")[1]?.length ?? 0)));
        this.series.applyOptions({ priceFormat: { type: "price", precision: decimals, minMove: 10 ** -decimals } });
        this.series.setData(sorted.map((one) => one.shape));
        this.undrawn.clear();
        this.changed();
    }

    draw() {
        // A late correction of an older candle cannot be appended: then everything is set anew.
        const fresh = [...this.undrawn.values()].sort((a, b) => a.shape.time - b.shape.time);
        const newest = Math.max(...this.candles.keys());
        if (this.series !== null && fresh.length > 0) {
            if (fresh.length === 1 && fresh[0].shape.time === newest) this.series.update(fresh[0].shape);
            else this.reset();
            this.undrawn.clear();
        }
        const shown = this.candles.get(this.hovered) ?? this.candles.get(newest);
        const target = byId("candle-values");
        if (shown === undefined) setText(target, "");
        else {
            const { open, high, low, close, volume } = shown.digits;
            setText(target, `${clock(shown.timestamp)}   O ${open}  H ${high}  L ${low}  C ${close}  V ${volume || "–"}`);
            target.title = shown.timestamp;
            if (this.series !== null) byId("candles-note").hidden = true;
        }
        // A source whose candles do not come by the stream, or a stream that was interrupted for long.
        if (this.market !== null && Date.now() - this.readAt > catchUpEvery && this.recent.size === 0) this.fill(false);
    }

    note(text) {
        setText(byId("candles-note"), text);
        byId("candles-note").hidden = text === "";
    }
}
