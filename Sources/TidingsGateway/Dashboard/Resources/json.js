// A JSON reader that keeps numbers as they were written. JSON.parse would turn 50000.00 into 50000 and
// 0.1234567890123456789 into something else; a price has to be shown with the digits its sender gave it.

/** A JSON number, as its source text. */
export class Digits {
    constructor(text) {
        this.text = text;
    }

    toString() {
        return this.text;
    }
}

const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** What ends the fast path of a string: an escape, or a control character, which JSON forbids there. */
const special = /[\\\u0000-\u001f]/g;

/** Reads one text from front to back. `at` is the position of the next character. */
export class Reader {
    constructor(text) {
        this.text = text;
        this.at = 0;
        this.nextSpecial = -1;
    }

    /** The next value. Objects have no prototype, so that no key of a stranger's means anything to us. */
    value() {
        this.skipSpace();
        switch (this.text.charCodeAt(this.at)) {
        case 0x22: return this.string();
        case 0x7b: {
            const object = Object.create(null);
            this.object((key) => { object[key] = this.value(); });
            return object;
        }
        case 0x5b: {
            const array = [];
            this.array(() => { array.push(this.value()); });
            return array;
        }
        case 0x74: return this.word("true", true);
        case 0x66: return this.word("false", false);
        case 0x6e: return this.word("null", null);
        default: return this.number();
        }
    }

    /** Walks through an object. `member` is called at each value and has to read it. */
    object(member) {
        this.expect(0x7b);
        if (this.closes(0x7d)) return;
        do {
            this.skipSpace();
            const key = this.string();
            this.expect(0x3a);
            member(key);
        } while (this.separates(0x7d));
    }

    /** Walks through an array. `element` is called at each value and has to read it. */
    array(element) {
        this.expect(0x5b);
        if (this.closes(0x5d)) return;
        do {
            element();
        } while (this.separates(0x5d));
    }

    /** To be called after the last value: there must be nothing but space. */
    end() {
        this.skipSpace();
        if (this.at !== this.text.length) this.fail();
    }

    string() {
        if (this.text.charCodeAt(this.at) !== 0x22) this.fail();
        const start = this.at + 1;
        if (this.nextSpecial < start) {
            special.lastIndex = start;
            const match = special.exec(this.text);
            this.nextSpecial = match === null ? Infinity : match.index;
        }
        const end = this.text.indexOf('"', start);
        if (end === -1) this.fail();
        if (end < this.nextSpecial) {
            this.at = end + 1;
            return this.text.slice(start, end);
        }
        return this.escapedString(start, end);
    }

    escapedString(start, firstQuote) {
        let end = firstQuote;
        while (this.isEscaped(end)) {
            end = this.text.indexOf('"', end + 1);
            if (end === -1) this.fail();
        }
        this.at = end + 1;
        return JSON.parse(this.text.slice(start - 1, end + 1));
    }

    isEscaped(index) {
        let first = index;
        while (this.text.charCodeAt(first - 1) === 0x5c) first -= 1;
        return (index - first) % 2 === 1;
    }

    number() {
        number.lastIndex = this.at;
        if (!number.test(this.text)) this.fail();
        const text = this.text.slice(this.at, number.lastIndex);
        this.at = number.lastIndex;
        return new Digits(text);
    }

    word(text, value) {
        if (!this.text.startsWith(text, this.at)) this.fail();
        this.at += text.length;
        return value;
    }

    expect(code) {
        this.skipSpace();
        if (this.text.charCodeAt(this.at) !== code) this.fail();
        this.at += 1;
    }

    closes(code) {
        this.skipSpace();
        if (this.text.charCodeAt(this.at) !== code) return false;
        this.at += 1;
        return true;
    }

    /** Steps over a comma (true) or the closing bracket (false). */
    separates(closing) {
        this.skipSpace();
        const code = this.text.charCodeAt(this.at);
        if (code !== 0x2c && code !== closing) this.fail();
        this.at += 1;
        return code === 0x2c;
    }

    skipSpace() {
        let code = this.text.charCodeAt(this.at);
        while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
            this.at += 1;
            code = this.text.charCodeAt(this.at);
        }
    }

    fail() {
        const found = this.at < this.text.length ? `'${this.text[this.at]}'` : "the end";
        throw new SyntaxError(`Invalid JSON: unexpected ${found} at ${this.at}`);
    }
}

/** The value of a whole JSON text. */
export function parse(text) {
    const reader = new Reader(text);
    const value = reader.value();
    reader.end();
    return value;
}

/** A value for a table cell: text as it is, numbers with their digits, nothing for nothing. */
export function asText(value) {
    if (typeof value === "string") return value;
    if (value === undefined || value === null) return "";
    if (value instanceof Digits || typeof value === "boolean") return String(value);
    return Array.isArray(value) ? `[${value.length}]` : "{…}";
}

/** A number which is no price: a count, an age, an offset. NaN when it is none. */
export function asNumber(value) {
    return value instanceof Digits ? Number(value.text) : NaN;
}
