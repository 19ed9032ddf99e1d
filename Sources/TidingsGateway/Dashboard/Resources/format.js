// Times, ages and counts for people. Prices and sizes never come here: they are shown as they were sent.

const grouped = new Intl.NumberFormat();
const oneDecimal = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const none = "–";

/** 12,345 */
export function count(value) {
    return Number.isFinite(value) ? grouped.format(value) : none;
}

/** Events per second: with a decimal where it says something. */
export function rate(value) {
    if (!Number.isFinite(value)) return none;
    return value === 0 || value >= 9.95 ? grouped.format(Math.round(value)) : oneDecimal.format(value);
}

/** 840 ms, 1.2 s, 3 min */
export function duration(milliseconds) {
    if (!Number.isFinite(milliseconds)) return none;
    const size = Math.abs(milliseconds);
    if (size < 10) return `${oneDecimal.format(milliseconds)} ms`;
    if (size < 1000) return `${Math.round(milliseconds)} ms`;
    if (size < 60_000) return `${oneDecimal.format(milliseconds / 1000)} s`;
    if (size < 3_600_000) return `${Math.round(milliseconds / 60_000)} min`;
    return `${Math.round(milliseconds / 3_600_000)} h`;
}

/** How long ago, coarse enough not to flicker. */
export function age(milliseconds) {
    if (!Number.isFinite(milliseconds)) return none;
    if (milliseconds < 1000) return "now";
    if (milliseconds < 60_000) return `${Math.floor(milliseconds / 1000)} s`;
    if (milliseconds < 3_600_000) return `${Math.floor(milliseconds / 60_000)} min`;
    if (milliseconds < 86_400_000) return `${Math.floor(milliseconds / 3_600_000)} h`;
    return `${Math.floor(milliseconds / 86_400_000)} d`;
}

/** 4m 12s, 2h 05m, 3d 4h */
export function uptime(seconds) {
    if (!Number.isFinite(seconds)) return none;
    const whole = Math.floor(seconds);
    const two = (value) => String(value).padStart(2, "0");
    if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
    if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${two(Math.floor(whole / 60) % 60)}m`;
    return `${Math.floor(whole / 86_400)}d ${Math.floor(whole / 3600) % 24}h`;
}

/** Milliseconds of an RFC 3339 timestamp of any precision; engines differ on more than three digits of fraction. */
export function instant(timestamp) {
    return Date.parse(timestamp.replace(/(\.\d{3})\d+/, "$1"));
}

/** The time of day in the viewer's zone, with milliseconds; the date too when it is another day. */
export function clock(timestamp, today = new Date()) {
    const date = new Date(instant(timestamp));
    if (Number.isNaN(date.getTime())) return timestamp || none;
    const two = (value) => String(value).padStart(2, "0");
    const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
        + `.${String(date.getMilliseconds()).padStart(3, "0")}`;
    if (date.toDateString() === today.toDateString()) return time;
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}
