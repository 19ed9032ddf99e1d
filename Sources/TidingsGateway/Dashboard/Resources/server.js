// What the page asks over HTTP: a page of history at once, counters and connectors every two seconds.

import { readPage } from "./event.js";

export class Refusal extends Error {
    constructor(status) {
        super(`HTTP ${status}`);
        this.status = status;
    }
}

async function get(path) {
    const response = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok) throw new Refusal(response.status);
    return response;
}

/** The newest events that match the filter, at or below an offset if one is given; newest first. */
export async function newestEvents(filter, limit, upTo = null) {
    const query = filter.query;
    query.set("order", "desc");
    query.set("limit", String(limit));
    if (upTo !== null) query.set("after", String(upTo + 1));
    const response = await get(`/api/v1/events?${query}`);
    return readPage(await response.text());
}

/** Calls `use` with the JSON at `path` now and every `interval` while the page is visible. */
export function poll(path, use, interval = 2000) {
    let isAsking = false;
    let timer = null;
    const ask = async () => {
        if (isAsking || document.hidden) return;
        isAsking = true;
        try {
            const response = await get(path);
            use(await response.json());
        } catch (error) {
            // A server that has no such thing will not have it in two seconds. Unreachable is another matter, which
            // the connection state tells already.
            if (error instanceof Refusal && error.status === 404) stop();
        } finally {
            isAsking = false;
        }
    };
    const stop = () => {
        clearInterval(timer);
        document.removeEventListener("visibilitychange", ask);
    };
    timer = setInterval(ask, interval);
    document.addEventListener("visibilitychange", ask);
    ask();
}
