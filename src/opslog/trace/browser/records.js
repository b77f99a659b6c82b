// The records: those that the filters leave, drawn as they come into sight.

const list = element("records");
const PART = 200;
let left = []; // the numbers of the records that the filters leave
let drawn = 0;

const filters = {
  text: "",
  least: 0,
  hidden: new Set(), // services
  of: null, // the records of a chosen row
  seen: [], // by record, whether it has the text that is searched for
};

const who = (record) => record.program || record.service_name || "?";
const texts = [];
function textOf(number) {
  const { original, ...record } = story.records[number];
  return (texts[number] ??= (Object.values(record).join("\n") + "\n" + original).toLowerCase());
}

function drawRecords() {
  filters.seen = story.records.map((_, number) => !filters.text || textOf(number).includes(filters.text));
  left = [];
  story.records.forEach((record, number) => {
    const kept = (record.severity_number || 0) >= filters.least && !filters.hidden.has(record.service_name || "?");
    if (kept && filters.seen[number] && (!filters.of || filters.of.has(number))) left.push(number);
  });
  list.replaceChildren();
  drawn = 0;
  drawMore();
  const total = story.records.length;
  const choice = element("choice");
  choice.replaceChildren();
  make("span", "dim", left.length === total ? count(total, "record") : left.length.toLocaleString("en") + " of " + count(total, "record"), choice);
  if (chosen) {
    const span = chosen.spans.length ? clock(chosen.spans[0][0]) + "Z, " + length(chosen.seconds) : "";
    const what = [chosen.name, chosen.name.includes(chosen.target) ? "" : chosen.target, chosen.id, chosen.hosts.join(" "), span].filter(Boolean).join(" \u00b7 ");
    choice.append(" of " + escaped(what) + " ");
    make("button", "", "all records", choice).addEventListener("click", () => choose(chosen));
  }
}

function drawMore(least = 0) {
  const end = Math.min(Math.max(drawn + PART, least), left.length);
  list.append(...left.slice(drawn, end).map(recordLine));
  drawn = end;
  if (list.firstElementChild && !list.querySelector("[tabindex='0']")) list.firstElementChild.setAttribute("tabindex", "0");
}

const dates = new Set(story.records.map((record) => (record.timestamp || "").slice(0, 10)).filter(Boolean));

function recordLine(number) {
  const record = story.records[number];
  const made = make("div", "record" + (number === story.first_error ? " first" : ""));
  made.id = "record-" + number;
  made.number = number;
  made.setAttribute("role", "treeitem");
  made.setAttribute("tabindex", "-1");
  made.setAttribute("aria-level", "1");
  made.setAttribute("aria-expanded", "false");
  made.setAttribute("aria-posinset", number + 1);
  made.setAttribute("aria-setsize", story.records.length);
  const line = make("div", "line", null, made);
  make("span", "dim", record.timestamp ? record.timestamp.slice(dates.size > 1 ? 0 : 11, 23).replace("T", " ") + "Z" : "", line).title = record.timestamp || "";
  make("span", grade(record.severity_number), record.severity_text || "", line);
  const writer = make("span", "who " + color(record.service_name || "?"), null, line);
  make("span", "swatch", null, writer);
  writer.append(escaped(who(record) + (record.host_name ? "@" + record.host_name : "")));
  writer.title = [record.logger, record.request_id].filter(Boolean).map(escaped).join(" ");
  make("span", "body", (record.body || record.exception_type || "").replace(/^\s*\n/, ""), line);
  return made;
}

function unfoldRecord(item) {
  const old = item.querySelector("pre");
  item.setAttribute("aria-expanded", String(!old));
  if (old) {
    old.remove();
    return;
  }
  const record = story.records[item.number];
  const facts = [record.source + " at byte " + record.source_offset, [record.logger, record.request_id].filter(Boolean).join(" ")];
  make("pre", "", facts.filter(Boolean).join("\n") + "\n\n" + record.original, item);
}

function goToRecord(item) {
  if (!item) return;
  for (const one of list.querySelectorAll("[tabindex='0']")) one.setAttribute("tabindex", "-1");
  item.setAttribute("tabindex", "0");
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

// Shows a record with its lines, whatever the filters left before.
function openRecord(number) {
  clearFilters();
  drawMore(left.indexOf(number) + PART);
  const item = element("record-" + number);
  if (!item.querySelector("pre")) unfoldRecord(item);
  goToRecord(item);
  item.scrollIntoView({ block: "center" });
}

function startRecords() {
  list.classList.toggle("days", dates.size > 1);
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && drawn < left.length) drawMore();
  }, { rootMargin: "1000px" }).observe(element("more"));
  window.addEventListener("beforeprint", () => drawMore(left.length)); // paper has no scrolling
  list.addEventListener("click", (event) => {
    const item = event.target.closest(".record");
    if (!item || event.target.closest("pre") || String(getSelection())) return;
    unfoldRecord(item);
    goToRecord(item);
  });
  list.addEventListener("keydown", (event) => {
    const item = event.target.closest(".record");
    if (!item || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const open = Boolean(item.querySelector("pre"));
    const steps = {
      ArrowDown: () => {
        if (!item.nextElementSibling) drawMore();
        goToRecord(item.nextElementSibling);
      },
      ArrowUp: () => goToRecord(item.previousElementSibling),
      Home: () => goToRecord(list.firstElementChild),
      End: () => {
        drawMore(left.length);
        goToRecord(list.lastElementChild);
      },
      ArrowRight: () => open || unfoldRecord(item),
      ArrowLeft: () => open && unfoldRecord(item),
      Enter: () => unfoldRecord(item),
      " ": () => unfoldRecord(item),
    };
    if (steps[event.key]) {
      event.preventDefault();
      steps[event.key]();
    }
  });
}
