// The axis of time: what part of it is seen, and how it is moved.

const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2419200, 7257600, 31449600];
const LEAST = 0.001;

const axis = {
  begin: story.begin ?? 0,
  end: Math.max(story.end ?? 0, (story.begin ?? 0) + LEAST),
  from: 0,
  to: 0,
  place: (time) => (100 * (time - axis.from)) / (axis.to - axis.from),
  show(from, to) {
    const width = Math.min(Math.max(to - from, LEAST), axis.end - axis.begin);
    axis.from = Math.min(Math.max(from, axis.begin), axis.end - width);
    axis.to = axis.from + width;
    for (const draw of axis.drawn) draw();
  },
  fit: () => axis.show(axis.begin, axis.end),
  zoom(factor, at = 0.5) {
    const width = axis.to - axis.from;
    const middle = axis.from + at * width;
    axis.show(middle - at * width * factor, middle + (1 - at) * width * factor);
  },
  move(part) {
    const width = axis.to - axis.from;
    axis.show(axis.from + part * width, axis.to + part * width);
  },
  drawn: [],
};
axis.from = axis.begin;
axis.to = axis.end;

// The round times of the part that is seen, as [seconds, text], as many as there is room for; no text is cut off.
function ticks(pixels) {
  const width = axis.to - axis.from;
  const step = STEPS.find((one) => (one / width) * pixels >= 90) ?? STEPS.at(-1);
  const found = [];
  for (let number = Math.ceil(axis.from / step); number * step <= axis.to; number++) {
    const text = clock(number * step + 1e-6);
    const shown = step >= 86400 ? text.slice(5, 10) : step >= 60 ? text.slice(11, 16) + "Z" : step >= 1 ? text.slice(11, 19) + "Z" : text.slice(11) + "Z";
    const room = ((axis.to - number * step) / width) * pixels;
    found.push([number * step, room > 7 * shown.length + 4 ? shown : ""]);
  }
  return found;
}

function drawTicks(track) {
  track.replaceChildren();
  if (story.begin === null) return;
  for (const [time, text] of ticks(track.clientWidth || 600)) {
    make("span", "tick", text, track).style.left = axis.place(time) + "%";
  }
  const first = story.first_error === null ? null : story.records[story.first_error].timestamp;
  if (first) {
    const mark = make("span", "error-mark", null, track);
    mark.style.left = axis.place(Date.parse(first) / 1000) + "%";
    mark.title = "first error";
  }
}

// The wheel zooms over the times, with Ctrl over the bars too: else it scrolls the rows.
function moveWithMouse(chart) {
  let last = null;
  const part = (event, track) => (event.clientX - track.getBoundingClientRect().left) / track.clientWidth;
  chart.addEventListener("wheel", (event) => {
    const track = event.target.closest(".track");
    if (!track) return;
    if (event.ctrlKey || event.metaKey || track.closest(".axis")) axis.zoom(event.deltaY > 0 ? 1.25 : 0.8, part(event, track));
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) axis.move(Math.sign(event.deltaX || event.deltaY) * 0.1);
    else return;
    event.preventDefault();
  }, { passive: false });
  chart.addEventListener("pointerdown", (event) => {
    const track = event.target.closest(".track");
    if (track && event.button === 0) last = { track, x: event.clientX, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!last || (!last.moved && Math.abs(event.clientX - last.x) < 4)) return;
    last.moved = true;
    last.track.classList.add("moving");
    axis.move((last.x - event.clientX) / last.track.clientWidth);
    last.x = event.clientX;
  });
  window.addEventListener("pointerup", () => {
    if (last) last.track.classList.remove("moving");
    if (last?.moved) chart.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
    last = null;
  });
  chart.addEventListener("dblclick", (event) => {
    if (event.target.closest(".axis")) axis.fit();
  });
}
