// The view of dead letters: the events that a handler gave up on, to be looked at, tried again or dropped.

import { showDetails } from "./details.js";
import { byId, element, setText } from "./dom.js";
import { EventRecord } from "./event.js";
import { clock, count } from "./format.js";
import { Reader, asText } from "./json.js";
import { act, readText, reasonOf } from "./server.js";
import { family } from "./summary.js";

const pageSize = 100;
const path = "/api/v1/dead-letters";

/** The answer's letters, each with its event's own text, and where the next page starts. */
export function readLetters(text) {
    const reader = new Reader(text);
    const letters = [];
    let next = "";
    reader.object((key) => {
        if (key === "dead_letters") reader.array(() => letters.push(readLetter(reader)));
        else if (key === "next_after") next = asText(reader.value());
        else reader.value();
    });
    reader.end();
    return { letters, next };
}

function readLetter(reader) {
    const letter = Object.create(null);
    reader.object((key) => {
        reader.skipSpace();
        const start = reader.at;
        letter[key] = reader.value();
        if (key === "event") letter.text = reader.text.slice(start, reader.at);
    });
    return letter;
}

export class LettersView {
    constructor() {
        this.list = byId("letters");
        this.note = byId("letters-note");
        this.more = byId("letters-more");
        this.next = "";
        this.more.addEventListener("click", () => this.read(this.next));
    }

    show() {
        this.read("");
    }

    /** A page of them: the first takes the place of what was shown. */
    async read(after) {
        const query = new URLSearchParams({ limit: String(pageSize) });
        if (after !== "") query.set("after", after);
        try {
            const { letters, next } = readLetters(await readText(`${path}?${query}`));
            if (after === "") this.list.replaceChildren();
            this.list.append(...letters.map((letter) => this.row(letter)));
            this.next = next;
            this.more.hidden = next === "";
            this.count();
        } catch (error) {
            if (after === "") this.list.replaceChildren();
            this.more.hidden = true;
            setText(this.note, `The server does not show them: ${reasonOf(error)}. They need the scope “admin”.`);
        }
    }

    count() {
        const number = this.list.children.length;
        const more = this.more.hidden ? "" : ", and there are more";
        setText(this.note, number === 0 ? "None: no handler has given up on an event." : `${count(number)} shown${more}.`);
    }

    row(letter) {
        const event = letter.event ?? {};
        const id = asText(letter.id);
        const record = new EventRecord(Number(asText(letter.offset)), event, letter.text ?? "{}");
        const heading = element("h3", { class: "type", "data-family": family(record.type) }, record.type);
        const subject = [record.subject, record.summary].filter((part) => part !== "").join("  ");
        const error = element("p", { class: "reason" }, asText(letter.last_error) || asText(letter.first_error));
        const time = element(
            "time", { datetime: asText(letter.last_failed_at), title: asText(letter.last_failed_at) }, clock(asText(letter.last_failed_at)),
        );
        const place = element("p", { class: "soft" }, `${asText(letter.subscriber)}, ${asText(letter.attempts)} attempts, last `, time);
        const answer = element("p", { class: "soft", role: "status" });
        const button = (text, pressed) => {
            const made = element("button", { type: "button", "aria-label": `${text}: ${record.type} ${record.subject}` }, text);
            made.addEventListener("click", () => pressed(made));
            return made;
        };
        const row = element("li", { class: "letter" });
        const buttons = element(
            "div", { class: "buttons" },
            button("Inspect", () => showDetails(record)),
            button("Retry", (pressed) => this.act(row, answer, pressed, "POST", `${path}/${encodeURIComponent(id)}/retry`, "given to its handler again")),
            button("Drop", (pressed) => {
                // A dropped letter is gone: the second press means it.
                if (pressed.dataset.sure === "true") {
                    this.act(row, answer, pressed, "DELETE", `${path}/${encodeURIComponent(id)}`, "dropped");
                    return;
                }
                pressed.dataset.sure = "true";
                setText(pressed, "Drop for good?");
                pressed.addEventListener("blur", () => {
                    pressed.dataset.sure = "false";
                    setText(pressed, "Drop");
                }, { once: true });
            }),
        );
        row.append(element("div", { class: "letter-text" }, heading, element("p", {}, subject), error, place, answer), buttons);
        return row;
    }

    async act(row, answer, pressed, method, target, done) {
        pressed.disabled = true;
        try {
            await act(method, target);
            // The focus goes where the reader's eyes are: to the neighbour, or to the note.
            const neighbour = row.nextElementSibling ?? row.previousElementSibling;
            row.remove();
            this.count();
            setText(this.note, `One was ${done}. ${this.note.textContent}`);
            (neighbour?.querySelector("button") ?? byId("dead-letters")).focus();
        } catch (error) {
            pressed.disabled = false;
            setText(answer, `Not done: ${reasonOf(error)}.`);
        }
    }
}
