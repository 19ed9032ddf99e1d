// Compares and subtracts decimal numbers by their text, exactly.

const shape = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
/** Beyond this an exponent is nonsense, and would cost as many zeros. */
const largestExponent = 400;

/** -1, 0 or 1; 0 also for what is no number. */
export function compareDecimals(left, right) {
    const a = scaled(left);
    const b = scaled(right);
    if (a === null || b === null) return 0;
    const scale = Math.max(a.scale, b.scale);
    const difference = a.integer * 10n ** BigInt(scale - a.scale) - b.integer * 10n ** BigInt(scale - b.scale);
    return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}

/** `left - right`, exactly, as text; nothing when one of them is no number. */
export function subtractDecimals(left, right) {
    const a = scaled(left);
    const b = scaled(right);
    if (a === null || b === null) return "";
    const scale = Math.max(a.scale, b.scale, 0);
    const difference = a.integer * 10n ** BigInt(scale - a.scale) - b.integer * 10n ** BigInt(scale - b.scale);
    const digits = (difference < 0n ? -difference : difference).toString().padStart(scale + 1, "0");
    const whole = digits.slice(0, digits.length - scale);
    return `${difference < 0n ? "-" : ""}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ""}`;
}

/** `integer / 10^scale` */
function scaled(text) {
    const match = shape.exec(text);
    if (match === null) return null;
    const [, sign, whole, fraction = "", exponent = "0"] = match;
    if (Math.abs(Number(exponent)) > largestExponent || text.length > 1000) return null;
    const integer = BigInt(whole + fraction);
    return { integer: sign === "-" ? -integer : integer, scale: fraction.length - Number(exponent) };
}
