// The newest events, bounded by count and by size, ascending by offset.

export class EventRing {
    constructor(capacity = 2000, characters = 16 * 1024 * 1024) {
        this.capacity = capacity;
        this.characters = characters;
        this.clear();
    }

    clear() {
        this.records = [];
        this.size = 0;
    }

    append(record) {
        this.records.push(record);
        this.size += record.text.length;
        this.trim();
    }

    /** Adds older events, read from the log while newer ones were already coming in. */
    merge(older) {
        const held = new Set(this.records.map((record) => record.offset));
        const added = older.filter((record) => !held.has(record.offset));
        this.records = [...added, ...this.records].sort((a, b) => a.offset - b.offset);
        this.size = this.records.reduce((sum, record) => sum + record.text.length, 0);
        this.trim();
    }

    trim() {
        while (this.records.length > this.capacity || (this.size > this.characters && this.records.length > 1)) {
            this.size -= this.records.shift().text.length;
        }
    }
}
