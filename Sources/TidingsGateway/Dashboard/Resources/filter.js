// Which events the table shows: type patterns and symbols, with the server's own rules, kept in the page's address.

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

export class Filter {
    constructor(types = "", symbols = "") {
        this.types = list(types);
        this.symbols = list(symbols);
        this.wantedSymbols = new Set(this.symbols.map((symbol) => symbol.toUpperCase()));
        this.decidedTypes = new Map();
    }

    get isOpen() {
        return this.types.length === 0 && this.symbols.length === 0;
    }

    matches(record) {
        return this.matchesType(record.type) && this.matchesSymbol(record);
    }

    /** Remembered by type: a stream of thousands a second has a handful of them. */
    matchesType(type) {
        if (this.types.length === 0) return true;
        let decided = this.decidedTypes.get(type);
        if (decided === undefined) {
            if (this.decidedTypes.size >= 1000) this.decidedTypes.clear();
            decided = this.types.some((pattern) => matchesPattern(pattern, type));
            this.decidedTypes.set(type, decided);
        }
        return decided;
    }

    matchesSymbol(record) {
        if (this.wantedSymbols.size === 0 || this.wantedSymbols.has("*")) return true;
        return this.wantedSymbols.has(record.symbol.toUpperCase())
            || this.wantedSymbols.has(record.venueSymbol.toUpperCase());
    }

    /** For a request: `type=a&type=b&symbol=c`. */
    get query() {
        const query = new URLSearchParams();
        for (const type of this.types) query.append("type", type);
        for (const symbol of this.symbols) query.append("symbol", symbol);
        return query;
    }

    static fromAddress() {
        const query = new URLSearchParams(location.search);
        return new Filter(query.getAll("type").join(","), query.getAll("symbol").join(","));
    }

    /** Written into the address without a new entry in the browser's history: typing is no navigation. */
    toAddress() {
        const query = this.query.toString();
        history.replaceState(null, "", query === "" ? location.pathname : `?${query}`);
    }
}
