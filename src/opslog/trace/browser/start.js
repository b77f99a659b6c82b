// The head of the page, the filters, and the keys that work everywhere.

function finding(kind, title, number, text) {
  const box = make("div", "finding " + kind, null, element("findings"));
  make("strong", "", title + " ", box);
  const record = story.records[number];
  const host = record.host_name ? "@" + record.host_name : "";
  const time = record.timestamp ? record.timestamp.slice(0, 23).replace("T", " ") + "Z " : "";
  const link = make("button", "link", time + who(record) + host, box);
  link.addEventListener("click", () => openRecord(number));
  box.append(" ");
  make("div", "", text, box).title = escaped(text);
}

function remark(title, text) {
  const box = make("div", "finding gap", null, element("findings"));
  make("strong", "", title + " ", box);
  make("div", "", text, box).title = escaped(text);
}

function startHead() {
  const head = element("head");
  const state = story.life ? [story.life.kind, story.life.state].filter(Boolean).join(", ") : "";
  make("h1", "", [story.id, state].filter(Boolean).join("  "), head);
  const timed = story.begin !== null;
  const lasted = timed ? (story.task ? "a task, seen for " : "") + length(story.end - story.begin) : "";
  const facts = [timed ? clock(story.begin) + "Z" : "no time", lasted, count(story.requests, "request"), count(story.records.length, "record"),
    story.left_out ? count(story.left_out, "record") + " left out: too many" : ""];
  make("div", "dim", facts.filter(Boolean).join(" \u00b7 "), head);
  if (story.first_error !== null) finding("bad", "first error", story.first_error, story.records[story.first_error].body || "");
  if (story.root_exception) {
    const cause = story.root_exception;
    finding("bad", "root exception", cause.record, cause.type + (cause.message ? ": " + cause.message : ""));
  }
  if (story.reason && story.first_error !== null && story.records[story.first_error].body !== story.reason) remark("reason", story.reason);
  for (const note of story.notes) remark(note.kind, note.text);
  for (const [host, seconds] of Object.entries(story.clocks)) {
    remark("clock of " + host, length(Math.abs(seconds)) + (seconds > 0 ? " ahead" : " behind") + ": order and bars are corrected");
  }
  if (story.left_behind) remark("left out", count(story.left_behind, "record") + " with the id, but of later calls");
  for (const gap of [...story.gaps].sort((a, b) => b.seconds - a.seconds).slice(0, 3)) {
    finding("gap", "gap of " + length(gap.seconds) + " after", gap.after, (story.records[gap.after].body || "").split("\n")[0]);
  }
}

function draw() {
  drawRecords();
  drawRows();
}

function clearFilters() {
  filters.text = element("search").value = "";
  filters.least = 0;
  element("least").value = "0";
  filters.hidden.clear();
  filters.of = chosen = null;
  for (const input of element("services").querySelectorAll("input")) input.checked = true;
  draw();
}

function startFilters() {
  let waiting = 0;
  element("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      filters.text = element("search").value.trim().toLowerCase();
      draw();
    }, 120);
  });
  element("least").addEventListener("change", () => {
    filters.least = Number(element("least").value);
    draw();
  });
  const all = (list) => list.flatMap((row) => [row.kind === "operation" ? null : row.service, ...all(row.rows)]);
  const services = new Set([...all(story.rows).filter(Boolean), ...story.records.map((record) => record.service_name || "?")]);
  for (const service of [...services].sort()) {
    const label = make("label", color(service), null, element("services"));
    const input = make("input", "", null, label);
    input.type = "checkbox";
    input.checked = true;
    make("span", "swatch", null, label);
    label.append(escaped(service));
    input.addEventListener("change", () => {
      if (input.checked) filters.hidden.delete(service);
      else filters.hidden.add(service);
      draw();
    });
  }
  element("in").addEventListener("click", () => axis.zoom(0.5));
  element("out").addEventListener("click", () => axis.zoom(2));
  element("fit").addEventListener("click", axis.fit);
  element("unfold").addEventListener("click", unfoldAll);
  element("help").addEventListener("click", () => element("keys").showModal());
}

function zoomToRow() {
  const spans = rows[active]?.spans ?? [];
  if (!spans.length) return;
  const from = Math.min(...spans.map((span) => span[0]));
  const width = Math.max(...spans.map((span) => span[1])) - from || 0.01;
  axis.show(from - width * 0.05, from + width * 1.05);
}

function startKeys() {
  const keys = {
    "/": () => element("search").focus(),
    "?": () => element("keys").showModal(),
    "+": () => axis.zoom(0.5),
    "=": () => axis.zoom(0.5),
    "-": () => axis.zoom(2),
    0: axis.fit,
    z: zoomToRow,
    o: unfoldAll,
    e: () => story.first_error !== null && openRecord(story.first_error),
    t: () => goTo(active),
    r: () => goToRecord(list.querySelector("[tabindex='0']")),
    Escape: clearFilters,
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || element("keys").open) return;
    if (event.target.matches("input[type=search], select")) {
      if (event.key === "Escape") clearFilters();
      if (event.key === "Enter" && event.target.matches("input")) goTo(0);
      return;
    }
    if (event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      axis.move(event.key === "ArrowLeft" ? -0.2 : 0.2);
    } else if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}

startHead();
startChart();
startRecords();
startFilters();
startKeys();
draw();
