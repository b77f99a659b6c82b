// Every text comes from logs: it is set as text, never as markup.

// Neither a terminal's commands nor what turns the direction of text is to look like something else.
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const written = (code) => (code > 0xffff ? "\\U" + code.toString(16).padStart(8, "0") : "\\u" + code.toString(16).padStart(4, "0"));
const escaped = (text) => String(text).replace(/\r\n/g, "\n").replace(UNSAFE, (one) => written(one.codePointAt(0)));

const element = (id) => document.getElementById(id);

function make(tag, kind, text, into) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined && text !== null) made.textContent = escaped(text);
  if (into) into.append(made);
  return made;
}

const count = (number, noun) => number.toLocaleString("en") + " " + noun + (number === 1 ? "" : "s");
const grade = (severity) => (severity >= 17 ? "bad" : severity >= 13 ? "warn" : "");
const two = (number) => String(number).padStart(2, "0");

function length(seconds) {
  if (seconds === null) return "";
  if (seconds < 1) return Math.round(seconds * 1000) + " ms";
  if (seconds < 60) return seconds.toFixed(2) + " s";
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  if (hours >= 48) return Math.floor(hours / 24).toLocaleString("en") + " d " + (hours % 24) + ":" + two(minutes);
  return (hours ? hours + ":" + two(minutes) : minutes) + ":" + two(whole % 60);
}

// Seconds since 1970, as UTC: 2026-03-10 10:00:01.104
const clock = (seconds) => new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 23);

// The same service has the same color on all pages; names stand beside, as no color is seen by all.
const COLORS = { nova: 0, neutron: 1, cinder: 2, glance: 3, keystone: 4, placement: 5 };
function color(service) {
  if (service in COLORS) return "s" + COLORS[service];
  let sum = 0;
  for (const character of service) sum = (sum * 31 + character.codePointAt(0)) % 1009;
  return service === "?" ? "s8" : "s" + (6 + (sum % 3));
}
