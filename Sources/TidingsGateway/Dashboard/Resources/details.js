// The whole event, in a panel at the side, with what led to it and what it led to.

import { family } from "./summary.js";
import { clock } from "./format.js";
import { layOut } from "./pretty.js";
import { byId, element, setAttribute, setText } from "./dom.js";
import { notice } from "./notices.js";
import { remember, view } from "./router.js";
import { Refusal, oneEvent, reasonOf, treeOf } from "./server.js";
import { drawTrace, spans } from "./trace.js";

/** Colouring costs an element a token; a very large event is shown in one piece. */
const mostColouredTokens = 4000;

const dialog = byId("details");
const text = byId("details-json");
const copy = byId("details-copy");
let shown = null;

export function showDetails(record) {
    shown = record;
    const title = byId("details-type");
    setText(title, record.type);
    title.dataset.family = family(record.type);
    setText(byId("details-place"), `Offset ${record.offset} · ${record.source} · ${clock(record.timestamp)}`);
    setText(copy, "Copy");
    const pieces = layOut(record.text);
    if (pieces.length > mostColouredTokens) {
        text.replaceChildren(pieces.map(([, piece]) => piece).join(""));
    } else {
        text.replaceChildren(...pieces.map(([kind, piece]) => (
            kind === "mark" ? piece : element("span", { class: `json-${kind}` }, piece)
        )));
    }
    setAttribute(byId("details-place"), "title", `${record.timestamp} (as sent)`);
    if (!dialog.open) dialog.showModal();
    text.scrollTop = 0;
    if (view() === "events") remember({ event: record.id });
    showTrace(record.id);
}

/** The event that the address names, or none. */
export async function showEventOf(id) {
    if (id === null || id === "") {
        if (dialog.open) dialog.close();
        return;
    }
    if (dialog.open && shown?.id === id) return;
    try {
        const entry = await oneEvent(id);
        if (entry !== null) showDetails(entry.record);
    } catch (error) {
        notice("event", `The event ${id.slice(0, 128)} is not shown: ${reasonOf(error)}.`);
    }
}

async function showTrace(id) {
    const note = byId("trace-note");
    const list = byId("trace");
    setText(note, "Reading the log.");
    list.replaceChildren();
    try {
        const tree = await treeOf(id);
        if (shown?.id !== id) return;
        const { rows, leftOut } = spans(tree.root);
        const parts = [rows.length === 1 ? "Nothing led to it, and it led to nothing." : `${rows.length} events, from their first cause.`];
        if (tree.incomplete === true) parts.push("Some are no longer in the log.");
        if (leftOut > 0) parts.push(`${leftOut} more are not drawn.`);
        setText(note, parts.join(" "));
        if (rows.length > 1) list.replaceChildren(...drawTrace(rows, id, (other) => showEventOf(other)));
    } catch (error) {
        if (shown?.id !== id) return;
        const isMissing = error instanceof Refusal && error.status === 404;
        setText(note, isMissing ? "The log does not have it." : `Not shown: ${reasonOf(error)}.`);
    }
}

copy.addEventListener("click", async () => {
    try {
        await navigator.clipboard.writeText(shown.text);
        setText(copy, "Copied");
    } catch {
        getSelection().selectAllChildren(text);
        setText(copy, "Selected");
    }
});

byId("details-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
    shown = null;
    if (view() === "events") remember({ event: null });
});

// A click beside the panel lands on the dialog itself.
dialog.addEventListener("click", (click) => {
    if (click.target === dialog) dialog.close();
});
