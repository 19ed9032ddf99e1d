// Which events the table shows: types, symbols, sources and items, with the server's own rules, kept in the page's
// address.

/** One type pattern: exact, `*`, a trailing `.*` for everything below, `*` between dots for exactly one part. */
export function matchesPattern(pattern, type) {
    if (pattern === "*" || pattern === type) return true;
    if (!pattern.includes("*")) return false;
    const wanted = pattern.split(".");
    const parts = type.split(".");
    const open = wanted.length > 1 && wanted.at(-1) === "*";
    if (open) wanted.pop();
    if (open ? parts.length <= wanted.length : parts.length !== wanted.length) return false;
    return wanted.every((part, index) => part === "*" || part === parts[index]);
}

function list(text) {
    return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
}

/** What an event may be chosen by, as the address and the server's requests name it. */
export const filterKeys = ["type", "symbol", "source", "item"];

export class Filter {
    /** `values` has a text for each key, with commas between its values. */
    constructor(values = {}) {
        this.values = Object.fromEntries(filterKeys.map((key) => [key, list(values[key] ?? "")]));
        this.symbols = new Set(this.values.symbol.map((symbol) => symbol.toUpperCase()));
        this.sources = new Set(this.values.source);
        this.items = new Set(this.values.item);
        this.decidedTypes = new Map();
    }

    get isOpen() {
        return filterKeys.every((key) => this.values[key].length === 0);
    }

    matches(record) {
        return this.matchesType(record.type) && this.matchesSymbol(record)
            && (this.sources.size === 0 || this.sources.has(record.source))
            && (this.items.size === 0 || this.items.has(record.item));
    }

    /** Remembered by type: a stream of thousands a second has a handful of them. */
    matchesType(type) {
        if (this.values.type.length === 0) return true;
        let decided = this.decidedTypes.get(type);
        if (decided === undefined) {
            if (this.decidedTypes.size >= 1000) this.decidedTypes.clear();
            decided = this.values.type.some((pattern) => matchesPattern(pattern, type));
            this.decidedTypes.set(type, decided);
        }
        return decided;
    }

    matchesSymbol(record) {
        if (this.symbols.size === 0 || this.symbols.has("*")) return true;
        return this.symbols.has(record.symbol.toUpperCase()) || this.symbols.has(record.venueSymbol.toUpperCase());
    }

    /** For a request or an address: `type=a&type=b&symbol=c`. */
    get query() {
        const query = new URLSearchParams();
        for (const key of filterKeys) for (const value of this.values[key]) query.append(key, value);
        return query;
    }

    static from(query) {
        return new Filter(Object.fromEntries(filterKeys.map((key) => [key, query.getAll(key).join(",")])));
    }
}
