// Lays out JSON source for reading. Every token is the source's own, so digits, escapes, repeated keys and their
// order stay as they were sent.

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
/** A list without nested ones that is no longer than this stays on one line: a level of a book, say. */
const inlineLength = 64;

/** A list of `[kind, text]`; kind is one of key, string, number, word, mark. */
export function layOut(source) {
    const tokens = source.match(token) ?? [];
    const pieces = [];
    const open = [];
    const breakLine = () => pieces.push(["mark", `\n${"  ".repeat(open.length)}`]);
    for (let index = 0; index < tokens.length; index += 1) {
        const text = tokens[index];
        const inline = open.at(-1) === "inline";
        if (text === "{" || text === "[") {
            pieces.push(["mark", text]);
            const isEmpty = tokens[index + 1] === "}" || tokens[index + 1] === "]";
            open.push(isEmpty || (text === "[" && fitsOneLine(tokens, index)) ? "inline" : "block");
            if (open.at(-1) === "block") breakLine();
        } else if (text === "}" || text === "]") {
            open.pop();
            if (!inline) breakLine();
            pieces.push(["mark", text]);
        } else if (text === ",") {
            pieces.push(["mark", inline ? ", " : ","]);
            if (!inline) breakLine();
        } else if (text === ":") {
            pieces.push(["mark", ": "]);
        } else {
            pieces.push([kind(text, tokens[index + 1]), text]);
        }
    }
    return pieces;
}

function fitsOneLine(tokens, start) {
    let length = 0;
    for (let index = start + 1; index < tokens.length; index += 1) {
        const text = tokens[index];
        if (text === "]") return true;
        if (text === "[" || text === "{") return false;
        length += text.length + 1;
        if (length > inlineLength) return false;
    }
    return false;
}

function kind(text, next) {
    if (text.startsWith('"')) return next === ":" ? "key" : "string";
    return text === "true" || text === "false" || text === "null" ? "word" : "number";
}
