// The whole event, in a panel at the side.

import { family } from "./summary.js";
import { clock } from "./format.js";
import { layOut } from "./pretty.js";
import { byId, element, setText } from "./dom.js";

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
    if (!dialog.open) dialog.showModal();
    text.scrollTop = 0;
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

// A click beside the panel lands on the dialog itself.
dialog.addEventListener("click", (click) => {
    if (click.target === dialog) dialog.close();
});
