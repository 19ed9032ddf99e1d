// The view of events: the stream as it comes, filtered, paused, and the log behind it page by page.

import { showDetails, showEventOf } from "./details.js";
import { byId, setText } from "./dom.js";
import { Filter, filterKeys } from "./filter.js";
import { dismissNotice, notice } from "./notices.js";
import { remember, view } from "./router.js";
import { newestEvents, reasonOf } from "./server.js";
import { EventTable, pageOfLog, rowsShown } from "./table.js";

const fields = new Map(filterKeys.map((key) => [key, byId(`filter-${key}`)]));

/** `changed` asks for a drawing; `head()` is the stream's offset, or null; `seed(entries)` gets what history brought. */
export class EventsView {
    constructor(changed, head, seed) {
        this.head = head;
        this.seed = seed;
        this.filter = new Filter();
        this.changed = changed;
        this.table = new EventTable(showDetails, changed, (offset) => this.older(offset));
        this.listen();
    }

    take(record) {
        if (this.filter.matches(record)) this.table.append(record);
    }

    /** From the address: the filter, the place in the log, and the event that is looked at. */
    async show(query) {
        const wanted = Filter.from(query);
        if (wanted.query.toString() !== this.filter.query.toString()) this.use(wanted);
        this.showFilter();
        const before = Number(query.get("before"));
        if (Number.isSafeInteger(before) && before > 0) {
            if (this.table.place !== before - 1) await this.table.browse(before);
        } else if (this.table.hasCutNewer) {
            this.table.resume();
        }
        showEventOf(query.get("event"));
    }

    use(filter) {
        this.filter = filter;
        this.table.restart();
        this.fill(this.head());
    }

    /**
     * Puts the newest events of the log below those that come in. With `upTo`, the offset after which the stream starts,
     * there is no seam; without it (the page was just opened) whatever overlaps is recognised by its offset.
     */
    async fill(upTo) {
        const asked = this.filter;
        try {
            const entries = await newestEvents(asked, rowsShown, upTo);
            if (asked !== this.filter) return;
            this.table.merge(entries.map((entry) => entry.record).reverse());
            this.seed(entries);
            dismissNotice("history");
        } catch (error) {
            notice("history", `The server did not hand out earlier events: ${reasonOf(error)}.`);
        }
    }

    /** A page of the log below `offset`, newest first; null when it could not be had. */
    async older(offset) {
        try {
            const entries = await newestEvents(this.filter, pageOfLog, offset === null ? null : offset - 1);
            dismissNotice("history");
            return entries.map((entry) => entry.record);
        } catch (error) {
            notice("history", `The server did not hand out earlier events: ${reasonOf(error)}.`);
            return null;
        }
    }

    /** As typed. The address follows, and the place in the log is given up. */
    setFilter() {
        const values = Object.fromEntries([...fields].map(([key, field]) => [key, field.value]));
        const filter = new Filter(values);
        remember({ ...filter.values, before: null });
        this.use(filter);
        this.showFilter();
    }

    showFilter() {
        for (const [key, field] of fields) {
            if (field !== document.activeElement) field.value = this.filter.values[key].join(", ");
        }
        byId("filter-clear").hidden = this.filter.isOpen;
        setText(
            byId("events-empty"),
            this.filter.isOpen ? "No events yet. They appear here as they come." : "No event matches the filter so far.",
        );
    }

    draw() {
        setText(byId("pause"), this.table.isPaused ? "Resume" : "Pause");
        this.table.draw();
    }

    listen() {
        let typing = null;
        for (const field of fields.values()) {
            field.addEventListener("input", () => {
                clearTimeout(typing);
                typing = setTimeout(() => this.setFilter(), 300);
            });
        }
        byId("filter").addEventListener("submit", (submit) => submit.preventDefault());
        byId("filter-clear").addEventListener("click", () => {
            for (const field of fields.values()) field.value = "";
            fields.get("type").focus();
            this.setFilter();
        });
        byId("pause").addEventListener("click", () => {
            if (this.table.isPaused) this.table.resume();
            else this.table.pause();
            this.rememberPlace();
        });
        for (const [id, pages] of [["newer", -1], ["older", 1]]) {
            byId(id).addEventListener("click", async () => {
                await this.table.turn(pages);
                this.rememberPlace();
            });
        }
        document.addEventListener("keydown", (key) => {
            if (view() !== "events" || key.key !== "/" || key.target.closest("input, select, dialog")) return;
            key.preventDefault();
            fields.get("type").focus();
        });
    }

    rememberPlace() {
        if (view() !== "events") return;
        const place = this.table.place;
        remember({ before: place === null ? null : String(place + 1) });
    }
}
