// Which view is shown, and with what: kept in the page's address as `#/events?type=trade`, so that a reload, a
// bookmark, a link sent to somebody and the back button all lead to the same thing.

import { byId, setAttribute } from "./dom.js";

/** The views by their name in the address. */
export const views = new Map(Object.entries({
    "now": "Now", "markets": "Markets", "events": "Events", "dead-letters": "Dead letters",
}));

const listeners = [];
let current = { view: "", query: new URLSearchParams() };

/** The shown view's name. */
export function view() {
    return current.view;
}

/** What the address says besides the view. A copy: changing it changes nothing. */
export function query() {
    return new URLSearchParams(current.query);
}

/** Calls `listener(view, query, isNewView)` whenever the address leads somewhere else. */
export function whenMoved(listener) {
    listeners.push(listener);
}

/** The address of a view, for a link. */
export function address(name, parameters = new URLSearchParams()) {
    const text = new URLSearchParams(parameters).toString();
    return `#/${name}${text === "" ? "" : `?${text}`}`;
}

/** Goes to a view, as a click on a link does. */
export function go(name, parameters) {
    const target = address(name, parameters);
    if (target === location.hash) return;
    history.pushState(null, "", target);
    move(true);
}

/** Writes into the address what the shown view now shows, without an entry in the history: typing is no navigation. */
export function remember(changes) {
    for (const [key, value] of Object.entries(changes)) {
        current.query.delete(key);
        for (const one of [value].flat()) if (one !== null && one !== "") current.query.append(key, one);
    }
    history.replaceState(null, "", address(current.view, current.query));
}

function parsed() {
    const match = /^#\/([a-z-]*)(?:\?(.*))?$/.exec(location.hash);
    if (match !== null && views.has(match[1])) return { view: match[1], query: new URLSearchParams(match[2] ?? "") };
    // Addresses from before there were views carried the filter of the events in front of the hash.
    const old = new URLSearchParams(location.search);
    return old.has("type") || old.has("symbol") ? { view: "events", query: old } : { view: "now", query: new URLSearchParams() };
}

function move(isAsked) {
    // A link to a place within the page, such as the skip link's, is no change of view.
    if (current.view !== "" && location.hash !== "" && !location.hash.startsWith("#/")) return;
    const previous = current.view;
    current = parsed();
    const isNew = previous !== current.view;
    for (const name of views.keys()) {
        byId(name).hidden = name !== current.view;
        const link = byId(`go-${name}`);
        if (name === current.view) setAttribute(link, "aria-current", "page");
        else link.removeAttribute("aria-current");
    }
    document.title = `${views.get(current.view)} · Tidings`;
    for (const listener of listeners) listener(current.view, query(), isNew);
    if (!isNew || !isAsked) return;
    scrollTo(0, 0);
    byId(current.view).focus({ preventScroll: true });
}

/** Shows what the address asks for, and from then on follows it. */
export function startRouting() {
    addEventListener("popstate", () => move(true));
    document.addEventListener("click", (click) => {
        const link = click.target.closest?.("a.skip");
        if (!link) return;
        click.preventDefault();
        byId(current.view).focus();
    });
    move(false);
    history.replaceState(null, "", address(current.view, current.query));
}
