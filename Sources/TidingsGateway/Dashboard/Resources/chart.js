// Bars and lines on canvas, in the colours of the style sheet.

/** A context of the canvas's size on screen, in CSS pixels, wiped. Null while it has none. */
function prepared(canvas) {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (width === 0 || height === 0) return null;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
        canvas.width = Math.round(width * scale);
        canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
}

/** A round number that is not below `value`: 1, 2 or 5 times a power of ten. */
export function roundedUp(value) {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}

/** Stacked bars: `layers` is a list of `{ values, colour }`, the first at the bottom. */
export function drawBars(canvas, layers, top, lineColour) {
    const area = prepared(canvas);
    if (area === null) return;
    const { context, width, height } = area;
    context.fillStyle = lineColour;
    for (const share of [0, 0.5]) context.fillRect(0, Math.round(share * (height - 1)), width, 1);
    const slot = width / layers[0].values.length;
    const gap = slot > 5 ? 2 : 1;
    layers[0].values.forEach((_, index) => {
        const left = Math.round(index * slot);
        const barWidth = Math.max(1, Math.round((index + 1) * slot) - left - gap);
        let bottom = height;
        for (const { values, colour } of layers) {
            if (values[index] === 0) continue;
            const barHeight = Math.max(1, (values[index] / top) * (height - 1));
            context.fillStyle = colour;
            context.fillRect(left, bottom - barHeight, barWidth, barHeight);
            bottom -= barHeight;
        }
    });
    context.fillStyle = lineColour;
    context.fillRect(0, height - 1, width, 1);
}

/** A small line with a tinted area below it, scaled to its own highest value. */
export function drawSparkline(canvas, values, colour) {
    const area = prepared(canvas);
    if (area === null) return;
    const { context, width, height } = area;
    const top = Math.max(1, ...values);
    const x = (index) => (index / (values.length - 1)) * width;
    const y = (value) => height - 1 - (value / top) * (height - 3);
    context.beginPath();
    values.forEach((value, index) => context.lineTo(x(index), y(value)));
    context.strokeStyle = colour;
    context.lineWidth = 1.25;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(width, height);
    context.lineTo(0, height);
    context.globalAlpha = 0.14;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
}

let colours = new Map();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours = new Map(); });

/** The value of a colour of the style sheet, such as `--market`. */
export function colour(name) {
    if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
    return colours.get(name);
}
