// Draws views when something changed: at most once per animation frame, and no oftener than each view wants.

/** A view that is due within so many milliseconds is drawn along with the others. */
const slack = 25;

export class Painter {
    constructor() {
        this.views = [];
        this.timer = null;
        this.isRequested = false;
    }

    /**
     * Registers a view. The answer is the function to call when it has something new to show; `true` says that the
     * viewer asked for it, which does not wait for the interval.
     */
    add(draw, interval = 0) {
        const view = { draw, interval, drawnAt: -Infinity, isDirty: false };
        this.views.push(view);
        return (isAsked = false) => {
            if (view.isDirty && !isAsked) return;
            view.isDirty = true;
            if (isAsked) view.drawnAt = -Infinity;
            this.request();
        };
    }

    /** Asks for a frame when the first view is due. Frames in between would cost the browser work for nothing. */
    request() {
        if (this.isRequested) return;
        const wait = this.views.reduce((least, view) => Math.min(least, dueIn(view, performance.now())), Infinity);
        clearTimeout(this.timer);
        this.timer = null;
        if (wait === Infinity) return;
        if (wait > 0) {
            this.timer = setTimeout(() => this.request(), wait);
            return;
        }
        this.isRequested = true;
        requestAnimationFrame(() => this.frame(performance.now()));
    }

    frame(now) {
        this.isRequested = false;
        for (const view of this.views) {
            if (dueIn(view, now) > slack) continue;
            view.isDirty = false;
            view.drawnAt = now;
            view.draw();
        }
        this.request();
    }
}

function dueIn(view, now) {
    return view.isDirty ? Math.max(0, view.drawnAt + view.interval - now) : Infinity;
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** How often moving text may change: once a second for who asked for less motion. */
export function calm(interval) {
    return reducedMotion.matches ? 1000 : interval;
}
