// The drawing area: strokes and a test image on it, undo, clear, and moving by arrow keys.

export const AREA = 280; // width and height in the area's own units, ten for a pixel of 28×28
const STROKE = 24; // width of a stroke; with it drawings hold about as much ink as MNIST's images
const STEP = AREA / 28; // one press of an arrow key
const FARTHEST = AREA / 2; // ink moved farther could not be found again

const ARROWS = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};
const NOTHING = { sample: null, strokes: [], x: 0, y: 0 };

export class Drawing extends EventTarget {
  /** Draw on `canvas`. Events: `ink` whenever the ink changes, `done` at the end of a change. */
  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.now = NOTHING; // never changed in place, so that `past` can hold the earlier ones
    this.past = [];
    this.stroke = null; // the one being drawn: {pointer, points}
    this.hidden = new OffscreenCanvas(AREA, AREA);
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#lift(event));
    canvas.addEventListener("pointercancel", (event) => this.#lift(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("resize", () => this.show()); // also when the page is zoomed
    this.show();
  }

  /** Put a test image, {index, bitmap}, in place of all that is drawn. */
  put(sample) {
    this.#change({ ...NOTHING, sample });
  }

  clear() {
    if (this.now !== NOTHING) this.#change(NOTHING);
  }

  undo() {
    if (this.past.length === 0) return;
    this.now = this.past.pop();
    this.#tell("done");
  }

  /** The ink as an image of 280×280 pixels, 0 background and 255 ink. */
  ink() {
    const context = this.hidden.getContext("2d", { willReadFrequently: true });
    context.clearRect(0, 0, AREA, AREA);
    this.#paint(context, "black");
    const { data } = context.getImageData(0, 0, AREA, AREA);
    const pixels = Uint8Array.from({ length: AREA * AREA }, (_, index) => data[4 * index + 3]);
    return { pixels, width: AREA, height: AREA };
  }

  /** Draw the ink on the visible canvas, as sharp as the screen, in the page's ink colour. */
  show() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const context = this.canvas.getContext("2d");
    context.setTransform(side / AREA, 0, 0, side / AREA, 0, 0);
    context.clearRect(0, 0, AREA, AREA);
    this.#paint(context, getComputedStyle(this.canvas).color);
  }

  #paint(context, color) {
    const { sample, strokes, x, y } = this.now;
    context.save();
    context.translate(x, y);
    if (sample !== null) {
      context.imageSmoothingEnabled = false; // each pixel of the test image stays a square
      context.drawImage(sample.bitmap(color), 0, 0, AREA, AREA);
    }
    Object.assign(context, { strokeStyle: color, lineWidth: STROKE });
    Object.assign(context, { lineCap: "round", lineJoin: "round" });
    for (const points of strokes) strokePath(context, points);
    context.restore();
  }

  #change(next) {
    this.past.push(this.now);
    this.now = next;
    this.#tell("done");
  }

  #tell(what) {
    this.show();
    this.dispatchEvent(new Event("ink"));
    if (what === "done") this.dispatchEvent(new Event("done"));
  }

  #press(event) {
    if (this.stroke !== null || event.button !== 0) return; // a second finger draws nothing
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { pointer: event.pointerId, points: [this.#point(event)] };
    this.past.push(this.now);
    this.now = { ...this.now, strokes: [...this.now.strokes, this.stroke.points] };
    this.#tell("ink");
  }

  #move(event) {
    if (event.pointerId !== this.stroke?.pointer) return;
    // A pen reports more often than the screen draws; browsers tell that over HTTPS or loopback.
    const between = event.getCoalescedEvents?.() ?? [];
    const events = between.length > 0 ? between : [event];
    this.stroke.points.push(...events.map((each) => this.#point(each)));
    this.#tell("ink");
  }

  #lift(event) {
    if (event.pointerId !== this.stroke?.pointer) return;
    this.stroke = null;
    this.#tell("done");
  }

  #point(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const { clientLeft, clientTop, clientWidth } = this.canvas; // without the border
    const unit = AREA / (clientWidth * (width / this.canvas.offsetWidth));
    return {
      x: (event.clientX - left - clientLeft) * unit - this.now.x,
      y: (event.clientY - top - clientTop) * unit - this.now.y,
    };
  }

  #key(event) {
    const arrow = ARROWS[event.key];
    if (arrow === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // the page does not scroll
    if (this.now === NOTHING || this.stroke !== null) return;
    const within = (value) => Math.max(-FARTHEST, Math.min(FARTHEST, value));
    const { x, y } = this.now;
    this.#change({ ...this.now, x: within(x + arrow[0]), y: within(y + arrow[1]) });
  }
}

/** Draw a smooth line: curves that meet in the middles between the points. */
function strokePath(context, points) {
  context.beginPath();
  context.moveTo(points[0].x, points[0].y);
  context.lineTo(points[0].x + 0.01, points[0].y); // a tap leaves a dot
  points.forEach((point, index) => {
    const next = points[index + 1] ?? point;
    context.quadraticCurveTo(point.x, point.y, (point.x + next.x) / 2, (point.y + next.y) / 2);
  });
  context.stroke();
}
