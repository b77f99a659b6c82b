// The rows of requests: a tree that can be folded, beside bars on one axis.

const chart = element("chart");
let rows = []; // those that are shown, in their order
let active = 0; // the one that Tab reaches
let chosen = null;

function prepare(list, level, parent) {
  list.forEach((row, place) => {
    row.level = level;
    row.parent = parent;
    row.place = place + 1;
    row.siblings = list.length;
    row.open = row.kind !== "calls" && (level > 1 || list.length === 1);
    row.numbers = new Set(row.records);
    prepare(row.rows, level + 1, row);
    row.worst = Math.max(row.severity, row.bad, ...row.rows.map((one) => one.worst));
    row.text = [row.name, row.id, row.target, ...row.hosts, row.service].join("\n").toLowerCase();
  });
}

// What is seen of a row: itself, or what is below; the search opens what it finds.
function isSeen(row) {
  const below = row.rows.map(isSeen).some(Boolean);
  const own = !filters.hidden.has(row.service) || row.kind === "operation";
  const found = !filters.text || row.text.includes(filters.text) || row.records.some((number) => filters.seen[number]);
  row.seen = below || (own && found && row.worst >= filters.least);
  row.unfolded = row.open || Boolean(filters.text && below && row.kind !== "calls");
  return row.seen;
}

function drawRows() {
  const focused = rows[active];
  const held = chart.contains(document.activeElement);
  story.rows.forEach(isSeen);
  rows = [];
  const collect = (list) => {
    for (const row of list) {
      if (!row.seen) continue;
      rows.push(row);
      if (row.unfolded) collect(row.rows);
    }
  };
  collect(story.rows);
  active = Math.max(rows.indexOf(focused), 0);
  chart.replaceChildren(chart.firstElementChild, ...rows.map(line));
  rows[active]?.line.setAttribute("tabindex", "0");
  if (held) rows[active]?.line.focus({ preventScroll: true });
  drawBars();
}

function line(row) {
  if (row.line) {
    row.line.setAttribute("tabindex", "-1");
    return mark(row);
  }
  const made = make("div", "row " + row.kind + " " + color(row.service));
  made.setAttribute("role", "row");
  made.setAttribute("tabindex", "-1");
  made.setAttribute("aria-level", row.level);
  made.setAttribute("aria-posinset", row.place);
  made.setAttribute("aria-setsize", row.siblings);
  const label = make("span", "label", null, made);
  label.style.paddingLeft = (row.level - 1) * 1.1 + "em";
  row.fold = make("span", "fold", null, label);
  row.sign = make("span", "sign", null, label);
  make("span", "name", row.name, label);
  if (row.level === 1 && row.id && row.records.length) make("span", "id", row.id.slice(0, 12), label);
  label.title = escaped([row.name, row.target, row.id].filter(Boolean).join("\n"));
  make("span", "hosts", row.hosts.join(" "), made).title = escaped(row.hosts.join(" "));
  make("span", "number " + grade(row.bad), row.status, made);
  make("span", "number", (row.kind === "calls" && row.seconds ? "\u2264" : "") + length(row.seconds), made);
  for (const cell of made.children) cell.setAttribute("role", "gridcell");
  row.track = make("span", "track", null, made);
  row.track.setAttribute("role", "gridcell");
  row.line = made;
  made.row = row;
  return mark(row);
}

// What changes of a row: whether it is folded or chosen, and how bad what it hides is.
function mark(row) {
  if (row.rows.length) row.line.setAttribute("aria-expanded", row.unfolded);
  row.fold.textContent = row.rows.length ? (row.unfolded ? "\u25be" : "\u25b8") : "";
  const worst = row.unfolded ? Math.max(row.severity, row.bad) : row.worst;
  row.sign.className = "sign " + grade(worst);
  row.sign.textContent = worst >= 17 ? "\u2715" : worst >= 13 ? "!" : "";
  row.sign.title = worst >= 17 ? "error" : worst >= 13 ? "warning" : "";
  row.line.setAttribute("aria-selected", row === chosen);
  row.line.classList.toggle("chosen", row === chosen);
  return row.line;
}

function drawBars() {
  const finest = (axis.to - axis.from) / 2000;
  for (const row of rows) {
    const bars = [];
    let last = null;
    for (const [begin, end] of row.spans) {
      if (end < axis.from || begin > axis.to) continue;
      if (last && begin - last[1] < finest) last[1] = Math.max(last[1], end);
      else bars.push((last = [begin, end]));
    }
    row.track.replaceChildren(...bars.map(([begin, end]) => {
      const bar = make("span", "bar" + (row.severity >= 17 || row.bad >= 17 ? " failed" : ""));
      const left = Math.max(axis.place(begin), -1);
      bar.style.left = Math.min(left, 99.8) + "%";
      bar.style.width = Math.min(axis.place(end), 101) - left + "%";
      return bar;
    }));
  }
}

function goTo(number) {
  if (!rows.length) return;
  rows[active]?.line.setAttribute("tabindex", "-1");
  active = Math.min(Math.max(number, 0), rows.length - 1);
  const { line } = rows[active];
  line.setAttribute("tabindex", "0");
  line.focus({ preventScroll: true });
  line.scrollIntoView({ block: "nearest" });
}

function fold(row, open) {
  if (!row.rows.length) return;
  row.open = open;
  drawRows();
}

function unfoldAll() {
  const all = (list) => list.flatMap((row) => [row, ...all(row.rows)]);
  const folding = all(story.rows).filter((row) => row.rows.length);
  const open = folding.some((row) => !row.open);
  for (const row of folding) row.open = open;
  element("unfold").textContent = open ? "fold all" : "unfold all";
  drawRows();
}

// Only the records of the row, and of what is below, are listed; again: all.
function choose(row) {
  chosen = row === chosen ? null : row;
  for (const one of rows) mark(one);
  const numbers = (one) => [...one.records, ...one.rows.flatMap(numbers)];
  filters.of = chosen && new Set(numbers(chosen));
  drawRecords();
}

function startChart() {
  prepare(story.rows, 1, null);
  const head = make("div", "row axis", null, chart);
  head.setAttribute("role", "row");
  for (const name of ["request", "host", "status", "duration"]) {
    make("span", "heading" + (name === "status" || name === "duration" ? " number" : ""), name, head).setAttribute("role", "columnheader");
  }
  const times = make("span", "track", null, head);
  times.setAttribute("role", "columnheader");
  times.setAttribute("aria-label", "time");
  axis.drawn.push(() => drawTicks(times), drawBars);
  new ResizeObserver(() => drawTicks(times)).observe(times);
  moveWithMouse(chart);
  chart.addEventListener("click", (event) => {
    const row = event.target.closest(".row")?.row;
    if (!row) return;
    goTo(rows.indexOf(row));
    if (event.target.closest(".fold")) fold(row, !row.unfolded);
    else choose(row);
  });
  chart.addEventListener("focusin", (event) => {
    const row = event.target.closest(".row")?.row;
    if (row) active = rows.indexOf(row);
  });
  chart.addEventListener("keydown", (event) => {
    const row = rows[active];
    if (!row || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const page = 15;
    const steps = {
      ArrowDown: () => goTo(active + 1),
      ArrowUp: () => goTo(active - 1),
      PageDown: () => goTo(active + page),
      PageUp: () => goTo(active - page),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      ArrowRight: () => (row.rows.length && !row.unfolded ? fold(row, true) : row.rows.length && goTo(active + 1)),
      ArrowLeft: () => (row.rows.length && row.unfolded ? fold(row, false) : row.parent && goTo(rows.indexOf(row.parent))),
      Enter: () => choose(row),
      " ": () => choose(row),
    };
    if (steps[event.key]) {
      event.preventDefault();
      steps[event.key]();
    }
  });
}
