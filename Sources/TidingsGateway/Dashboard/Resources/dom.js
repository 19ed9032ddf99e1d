// The few helpers for making and changing elements. Text goes in as text nodes only: no event can become markup.

/** `element("td", { class: "n" }, "text", child, ...)` */
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

/** Changes an element's text only when it differs. */
export function setText(target, text) {
    const node = target.firstChild;
    if (node === null) target.textContent = text;
    else if (node.data !== text) node.data = text;
}

/** Changes an attribute only when it differs. */
export function setAttribute(target, name, value) {
    if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

export function byId(id) {
    return document.getElementById(id);
}
