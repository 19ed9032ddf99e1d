// Who is looking: where the server asks for an access token, it is handed in once and stands for itself as a cookie that
// no script can read.

import { byId, setText } from "./dom.js";

const path = "/api/v1/session";
const dialog = byId("sign-in");
const form = byId("sign-in-form");
const field = byId("sign-in-token");
const error = byId("sign-in-error");
const button = byId("sign-in-button");

let entered = () => {};

async function ask(method, body) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return fetch(path, { method, headers, credentials: "same-origin", body: body && JSON.stringify(body) });
}

/** Calls `enter` once the server lets us in, and again after each time it had to be asked anew. */
export function whenSignedIn(enter) {
    entered = enter;
    return checkSession(true);
}

/** Asks whether we are still let in, and for a token if not. Unreachable is another matter, which the stream tells. */
export async function checkSession(isFirst = false) {
    if (dialog.open) return;
    let response = null;
    try {
        response = await ask("GET");
    } catch {
        // Not there; the stream tries again.
    }
    if (response?.status === 401) {
        if (!dialog.open) dialog.showModal();
        return;
    }
    if (response?.ok) showName((await response.json()).name);
    if (isFirst) entered();
}

function showName(name) {
    const isKnown = typeof name === "string";
    byId("signed-in").hidden = !isKnown;
    if (isKnown) setText(byId("signed-in-name"), name);
}

function complain(text) {
    setText(error, text);
    error.hidden = text === "";
    field.setAttribute("aria-invalid", String(text !== ""));
}

async function signIn() {
    const token = field.value.trim();
    if (token === "") return complain("Enter an access token.");
    button.disabled = true;
    try {
        const response = await ask("POST", { token });
        if (response.ok) {
            field.value = "";
            complain("");
            dialog.close();
            showName((await response.json()).name);
            entered();
            return;
        }
        const problem = await response.json().catch(() => ({}));
        complain(problem.detail ? `${problem.detail}.` : `The server answered ${response.status}.`);
    } catch {
        complain("The server cannot be reached.");
    } finally {
        button.disabled = false;
        if (dialog.open) field.select();
    }
}

form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    signIn();
});
// There is nothing to see behind it.
dialog.addEventListener("cancel", (cancel) => cancel.preventDefault());
dialog.addEventListener("close", () => {
    if (byId("signed-in").hidden) checkSession();
});
byId("sign-out").addEventListener("click", async () => {
    try {
        await ask("DELETE");
    } finally {
        // What was shown goes as well.
        location.reload();
    }
});
