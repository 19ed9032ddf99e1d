// What the page asks over HTTP: a page of history at once, counters and connectors every two seconds.

import { readEntryOf, readPage } from "./event.js";
import { parse } from "./json.js";

export class Refusal extends Error {
    constructor(status, detail = "") {
        super(detail === "" ? `HTTP ${status}` : detail);
        this.status = status;
    }
}

async function request(path, method = "GET") {
    const headers = { Accept: "application/json, text/plain" };
    const response = await fetch(path, { method, credentials: "same-origin", headers });
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new Refusal(response.status, typeof problem.detail === "string" ? problem.detail : "");
}

/** The JSON at a path, with every number's digits as they were sent. */
export async function read(path) {
    return parse(await (await request(path)).text());
}

/** The text at a path. */
export async function readText(path) {
    return (await request(path)).text();
}

/** Asks for something to be done. */
export async function act(method, path) {
    await request(path, method);
}

/** One event of the log by its id, as `{ record, event }`; its causes and consequences, as the server has them. */
export async function oneEvent(id) {
    return readEntryOf(await (await request(`/api/v1/events/${encodeURIComponent(id)}`)).text());
}

export function treeOf(id) {
    return read(`/api/v1/events/${encodeURIComponent(id)}/tree`);
}

/** What to tell the viewer when the server would not: in its own words where it has some. */
export function reasonOf(error) {
    if (!(error instanceof Refusal)) return "the server cannot be reached";
    if (error.status === 401) return "it asks for an access token";
    if (error.status === 403) return "the access token does not have the scope for it";
    return error.message;
}

/** The newest events that match the filter, at or below an offset if one is given; newest first. */
export async function newestEvents(filter, limit, upTo = null) {
    const query = filter.query;
    query.set("order", "desc");
    query.set("limit", String(limit));
    if (upTo !== null) query.set("after", String(upTo + 1));
    const response = await request(`/api/v1/events?${query}`);
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
            const response = await request(path);
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
