// The table of live events: a fixed pool of rows over the newest events that match.

import { byId, element, setAttribute, setText } from "./dom.js";
import { clock, count } from "./format.js";
import { EventRing } from "./ring.js";
import { family } from "./summary.js";

export const rowsShown = 50;
/** How many of the log's older events are fetched at a time, and how many are kept while browsing. */
export const pageOfLog = 500;
const mostBrowsed = 10_000;

/**
 * The table follows the stream while nobody reads it. It holds still while the pointer or the keyboard is on a row,
 * and stands while paused; then the kept events can be paged through. `changed` asks for a drawing, at once
 * if it is the viewer's doing.
 */
export class EventTable {
    constructor(show, changed, fetchOlder) {
        this.show = show;
        this.changed = changed;
        this.fetchOlder = fetchOlder;
        this.isFetching = false;
        this.isAtStart = false;
        this.hasCutNewer = false;
        this.ring = new EventRing();
        this.frozen = null;
        this.page = 0;
        this.isHeld = false;
        this.arrived = 0;
        this.arrivedWhenDrawn = 0;
        this.undrawn = 0;
        this.rows = Array.from({ length: rowsShown }, () => makeRow());
        this.body = byId("event-rows");
        this.body.append(...this.rows.map((row) => row.element));
        this.listen();
    }

    get isPaused() {
        return this.frozen !== null;
    }

    append(record) {
        this.ring.append(record);
        this.arrived += 1;
        this.changed();
    }

    merge(older) {
        this.ring.merge(older);
        this.changed();
    }

    /** For another filter, or another log: nothing of what is kept applies. */
    restart() {
        this.ring.clear();
        this.arrived = this.arrivedWhenDrawn = this.undrawn = 0;
        this.isHeld = false;
        this.resume();
    }

    pause() {
        this.frozen ??= [...this.ring.records];
        this.changed(true);
    }

    resume() {
        this.frozen = null;
        this.page = 0;
        this.isAtStart = this.hasCutNewer = false;
        this.changed(true);
    }

    /** Pauses at a place in the log: what is shown ends below `offset`. */
    async browse(offset) {
        this.frozen = [];
        this.page = 0;
        this.isAtStart = false;
        this.hasCutNewer = true;
        await this.extend(offset);
    }

    /** Pages through what is kept, and beyond its end through the log. */
    async turn(pages) {
        this.pause();
        if (pages > 0 && (this.page + pages + 1) * rowsShown > this.frozen.length && !this.isAtStart) {
            await this.extend(this.frozen[0]?.offset ?? null);
        }
        if (this.frozen === null) return;
        const last = Math.max(0, Math.ceil(this.frozen.length / rowsShown) - 1);
        this.page = Math.min(last, Math.max(0, this.page + pages));
        this.changed(true);
    }

    /** Puts the log's events below `offset` under those that are browsed. */
    async extend(offset) {
        if (this.isFetching) return;
        this.isFetching = true;
        const browsed = this.frozen;
        try {
            const older = await this.fetchOlder(offset);
            // Resumed, or filtered anew, while the answer was under way.
            if (older === null || this.frozen !== browsed) return;
            this.isAtStart = older.length < pageOfLog;
            this.frozen = [...older.reverse(), ...browsed];
            const surplus = this.frozen.length - mostBrowsed;
            if (surplus > 0) {
                const pages = Math.ceil(surplus / rowsShown);
                this.frozen.splice(this.frozen.length - pages * rowsShown);
                this.page = Math.max(0, this.page - pages);
                this.hasCutNewer = true;
            }
        } finally {
            this.isFetching = false;
            this.changed(true);
        }
    }

    /** The offset of the first row while browsing, for the address; null while live. */
    get place() {
        if (!this.isPaused) return null;
        return this.frozen[this.frozen.length - 1 - this.page * rowsShown]?.offset ?? null;
    }

    draw() {
        if (!this.isHeld || this.isPaused) this.drawRows();
        this.drawNote();
    }

    drawRows() {
        const records = this.frozen ?? this.ring.records;
        const today = new Date();
        const newest = records.length - 1 - this.page * rowsShown;
        this.rows.forEach((row, index) => drawRow(row, records[newest - index] ?? null, today));
        byId("events-empty").hidden = records.length > 0;
        if (this.isPaused) return;
        this.undrawn += Math.max(0, this.arrived - this.arrivedWhenDrawn - rowsShown);
        this.arrivedWhenDrawn = this.arrived;
    }

    drawNote() {
        const records = this.frozen ?? this.ring.records;
        const first = this.page * rowsShown;
        const last = Math.min(records.length, first + rowsShown);
        const kept = this.hasCutNewer ? `${count(records.length)} from the log` : `the newest ${count(records.length)}`;
        const shown = records.length === 0 ? "" : `${count(first + 1)}–${count(last)} of ${kept}`;
        const waiting = this.arrived - this.arrivedWhenDrawn;
        const held = this.isPaused ? `paused, ${count(waiting)} new since`
            : this.isHeld ? `held while you are on a row, ${count(waiting)} new` : "";
        const undrawn = this.undrawn > 0 ? `${count(this.undrawn)} passed too fast to be drawn` : "";
        setText(byId("events-note"), [shown, held, undrawn].filter((part) => part !== "").join(" · "));
        byId("newer").disabled = this.page === 0;
        byId("older").disabled = records.length === 0 || this.isFetching || (this.isAtStart && last >= records.length);
    }

    listen() {
        this.body.addEventListener("pointerenter", (pointer) => {
            if (pointer.pointerType === "mouse") this.hold(true);
        });
        this.body.addEventListener("pointerleave", () => this.hold(false));
        this.body.addEventListener("focusin", (focus) => {
            if (focus.target.matches(":focus-visible")) this.hold(true);
        });
        this.body.addEventListener("focusout", () => this.hold(this.body.matches(":hover")));
        // What was under the finger when it came down is what was meant, whatever the row shows by now.
        let pressed = null;
        this.body.addEventListener("pointerdown", (pointer) => { pressed = this.recordAt(pointer.target); });
        this.body.addEventListener("click", (click) => {
            // A click by keyboard or screen reader has no pointer, and no detail.
            const record = click.detail === 0 ? this.recordAt(click.target) : pressed;
            if (record !== null && getSelection().isCollapsed) this.show(record);
        });
        this.body.addEventListener("keydown", (key) => this.moveFocus(key));
        this.rows[0].button.tabIndex = 0;
    }

    hold(isHeld) {
        if (this.isHeld === isHeld) return;
        this.isHeld = isHeld;
        this.changed(true);
    }

    recordAt(target) {
        return this.rows.find((row) => row.element.contains(target))?.record ?? null;
    }

    /** One stop for the tab key, arrows between the rows. */
    moveFocus(key) {
        const used = this.rows.filter((row) => row.record !== null);
        const index = used.findIndex((row) => row.button === document.activeElement);
        const wanted = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: used.length - 1 }[key.key];
        if (index === -1 || wanted === undefined || used[wanted] === undefined) return;
        key.preventDefault();
        for (const row of this.rows) row.button.tabIndex = -1;
        used[wanted].button.tabIndex = 0;
        used[wanted].button.focus();
    }
}

function makeRow() {
    const button = element("button", { type: "button", class: "time", tabindex: "-1", "aria-haspopup": "dialog" });
    const type = element("span", { class: "type" });
    const cells = ["source", "subject", "summary", "offset"].map((name) => element("td", { class: name, role: "cell" }));
    const row = element(
        "tr", { role: "row" },
        element("td", { class: "when", role: "cell" }, button), element("td", { class: "what", role: "cell" }, type), ...cells,
    );
    row.hidden = true;
    const [source, subject, summary, offset] = cells;
    return { element: row, record: null, button, type, source, subject, summary, offset };
}

function drawRow(row, record, today) {
    if (row.record === record) return;
    row.record = record;
    row.element.hidden = record === null;
    if (record === null) return;
    setText(row.button, clock(record.timestamp, today));
    setAttribute(row.button, "title", record.timestamp);
    setText(row.type, record.type);
    setAttribute(row.type, "data-family", family(record.type));
    setText(row.source, record.source);
    setText(row.subject, record.subject);
    setText(row.summary, record.summary);
    setText(row.offset, String(record.offset));
}
