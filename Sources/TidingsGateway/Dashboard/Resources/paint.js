// Draws views when something changed: at most once per animation frame, and no oftener than each view wants.

export class Painter {
    constructor() {
        this.views = [];
        this.isRequested = false;
    }

    /** Registers a view. The answer is the function to call when it has something new to show. */
    add(draw, interval = 0) {
        const view = { draw, interval, drawnAt: -Infinity, isDirty: false };
        this.views.push(view);
        return () => {
            view.isDirty = true;
            this.request();
        };
    }

    request() {
        if (this.isRequested) return;
        this.isRequested = true;
        requestAnimationFrame((now) => this.frame(now));
    }

    frame(now) {
        this.isRequested = false;
        for (const view of this.views) {
            if (!view.isDirty) continue;
            if (now - view.drawnAt < view.interval) {
                this.request();
                continue;
            }
            view.isDirty = false;
            view.drawnAt = now;
            view.draw();
        }
    }
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** How often moving text may change: once a second for who asked for less motion. */
export function calm(interval) {
    return reducedMotion.matches ? 1000 : interval;
}
