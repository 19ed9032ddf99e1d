// Events per second over the last minute, in total and by type, and how late they arrive.

export const seconds = 60;
/** Whoever sends may invent types without end; the rest is counted together. */
const mostTypes = 200;
export const otherTypes = "(other types)";
/** The minute, the second that is still filling, and one for a late look. */
const slots = seconds + 2;

/** Counts in one-second slots. */
export class Counter {
    constructor() {
        this.slots = new Uint32Array(slots);
        this.second = 0;
        this.total = 0;
    }

    add(second) {
        this.advance(second);
        this.slots[second % slots] += 1;
        this.total += 1;
    }

    advance(second) {
        if (second <= this.second) return;
        const steps = Math.min(second - this.second, slots);
        for (let step = 0; step < steps; step += 1) this.slots[(second - step) % slots] = 0;
        this.second = second;
    }

    /** The last complete seconds, oldest first. */
    minute(second) {
        this.advance(second);
        return Array.from({ length: seconds }, (_, index) => this.slots[(second - seconds + index) % slots]);
    }

    /** The mean of the last `span` complete seconds. */
    rate(second, span) {
        this.advance(second);
        let sum = 0;
        for (let back = 1; back <= span; back += 1) sum += this.slots[(second - back) % slots];
        return sum / span;
    }
}

export class Rates {
    constructor() {
        this.all = new Counter();
        this.types = new Map();
        this.startedAt = null;
    }

    count(type, milliseconds) {
        const second = Math.floor(milliseconds / 1000);
        this.startedAt ??= second;
        this.all.add(second);
        this.counter(type).add(second);
    }

    counter(type) {
        let counter = this.types.get(type);
        if (counter !== undefined) return counter;
        const name = this.types.size < mostTypes ? type : otherTypes;
        counter = this.types.get(name) ?? new Counter();
        this.types.set(name, counter);
        return counter;
    }

    /** How many complete seconds a rate may be taken over: five, fewer just after the start. */
    span(second) {
        return this.startedAt === null ? 1 : Math.max(1, Math.min(5, second - this.startedAt));
    }
}

/** Delivery lag: the median of a sample of the last seconds. */
export class LagMeter {
    constructor(capacity = 512, window = 5000) {
        this.values = new Float64Array(capacity);
        this.times = new Float64Array(capacity);
        this.capacity = capacity;
        this.window = window;
        this.next = 0;
    }

    /** Not more than a hundred samples a second are worth reading a timestamp for. */
    wants(now) {
        return now - this.times[(this.next + this.capacity - 1) % this.capacity] >= 10;
    }

    add(lag, now) {
        if (!Number.isFinite(lag)) return;
        this.values[this.next] = lag;
        this.times[this.next] = now;
        this.next = (this.next + 1) % this.capacity;
    }

    median(now) {
        const recent = this.values.filter((_, index) => now - this.times[index] < this.window).sort();
        return recent.length === 0 ? NaN : recent[Math.floor(recent.length / 2)];
    }
}
