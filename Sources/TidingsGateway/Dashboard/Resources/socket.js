// The WebSocket client: everything as it comes, resumed after a break from the last offset it has seen.

import { readFrame } from "./event.js";
import { asNumber, asText } from "./json.js";

/** After a longer break the page starts at now: nobody wants last night replayed through a live view. */
const longestResume = 120_000;
const pingEvery = 15_000;
/** A connection this silent after a ping is dead, though nobody has told us. */
const silenceLimit = 25_000;
const firstDelay = 500;
const longestDelay = 20_000;

/**
 * `listener` has: `event(record, event)`, `state(name, retryInMilliseconds)`, `missed(count or null, reason, end or null)`
 * with the offset below which the log has them,
 * `refused(message)`, `resumed(milliseconds)` after a break of that length over which nothing was lost, and
 * `subscribed(offset, isSameLog)`: everything after `offset` comes from here on.
 */
export class EventSocket {
    constructor(listener) {
        this.listener = listener;
        this.epoch = null;
        this.offset = null;
        this.heardAt = 0;
        this.attempt = 0;
        this.socket = null;
        this.retry = null;
        this.resumesFrom = null;
        this.away = 0;
        setInterval(() => this.checkPulse(), pingEvery);
        // A machine that slept wakes with a connection that is long dead.
        document.addEventListener("visibilitychange", () => this.checkPulse());
        addEventListener("online", () => this.retryNow());
    }

    connect() {
        this.retry = null;
        this.listener.state(this.attempt === 0 ? "connecting" : "reconnecting");
        const url = new URL("/ws", location.href);
        url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
        const socket = new WebSocket(url);
        this.socket = socket;
        socket.onopen = () => this.subscribe();
        socket.onmessage = (message) => this.receive(message.data);
        socket.onclose = (close) => {
            if (socket === this.socket) this.closed(close);
        };
    }

    subscribe() {
        const request = { action: "subscribe", symbols: ["*"], event_types: ["*"], conflate: false };
        const away = this.heardAt === 0 ? 0 : Date.now() - this.heardAt;
        this.resumesFrom = away < longestResume ? this.offset : null;
        if (this.resumesFrom !== null) request.from = { epoch: this.epoch, offset: this.offset };
        this.away = away;
        this.heardAt = Date.now();
        this.socket.send(JSON.stringify(request));
    }

    receive(text) {
        this.heardAt = Date.now();
        let frame;
        try {
            frame = readFrame(text);
        } catch (error) {
            this.listener.refused(`A frame could not be read: ${error.message}`);
            return;
        }
        if (frame.record !== undefined) {
            this.offset = frame.record.offset;
            this.listener.event(frame.record, frame.data);
        } else if (frame.type === "gap") {
            const dropped = asNumber(frame.dropped);
            const end = asNumber(frame.after) + dropped + 1;
            this.listener.missed(dropped, "the connection did not keep up", Number.isSafeInteger(end) ? end : null);
        } else if (frame.type === "ack" && frame.action === "subscribed") {
            this.acknowledged(frame.data ?? {});
        } else if (frame.type === "error") {
            this.listener.refused(asText(frame.error));
        }
    }

    acknowledged(data) {
        const epoch = asText(data.epoch);
        const offset = asNumber(data.offset);
        const sameLog = this.epoch === null || this.epoch === epoch;
        if (data.recovered === false) {
            // What is left of the log would be delivered from its oldest event. We show now instead, and say so.
            this.listener.missed(null, sameLog ? "the log no longer reaches back that far" : "the log was started anew", null);
            this.startAtNow();
            return;
        }
        if (this.resumesFrom === null && this.offset !== null) {
            if (!sameLog) this.listener.missed(null, "the log was started anew", null);
            else if (offset > this.offset) this.listener.missed(offset - this.offset, "the page was away for long", offset + 1);
        }
        if (this.resumesFrom !== null && data.recovered === true) this.listener.resumed(this.away);
        this.attempt = 0;
        this.epoch = epoch;
        if (this.resumesFrom === null) this.offset = offset;
        this.listener.state("live");
        this.listener.subscribed(offset, sameLog);
    }

    startAtNow() {
        this.forgetSocket();
        this.offset = null;
        this.connect();
    }

    closed(close) {
        const doubled = Math.min(longestDelay, firstDelay * 2 ** Math.min(this.attempt, 10));
        const delay = doubled * (0.5 + Math.random() / 2);
        this.attempt += 1;
        if (close.code === 1008) this.listener.refused(close.reason || "The server does not allow this connection.");
        this.listener.state("reconnecting", delay);
        this.retry = setTimeout(() => this.connect(), delay);
    }

    retryNow() {
        if (this.retry === null) return;
        clearTimeout(this.retry);
        this.connect();
    }

    checkPulse() {
        if (this.socket?.readyState !== WebSocket.OPEN) return;
        if (Date.now() - this.heardAt > silenceLimit) {
            this.forgetSocket();
            this.closed({ code: 1006 });
            return;
        }
        this.socket.send('{"action":"ping"}');
    }

    forgetSocket() {
        const old = this.socket;
        this.socket = null;
        old.onmessage = null;
        old.close();
    }
}
