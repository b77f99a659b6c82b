"""The style of pages without scripts: for screens of any width, light or dark, and for paper.

In a narrow window a row of a table is a block: its names and texts on lines of their own, its
numbers behind their heads, without those that are none.
"""

from opslog.model.severity import CLASSES

STYLE = """\
:root { color-scheme: light dark; --fg: #1c2733; --bg: #fff; --dim: #5f6b78; --line: #dfe4ea;
  --bad: #c01c28; --trace: #c9d1d9; --debug: #b3c0cc; --info: #4c8dc9; --warning: #e0a000;
  --error: #d23f3f; --critical: #8b1a4a; --unknown: #dcdcdc; }
@media screen and (prefers-color-scheme: dark) { :root { --fg: #dde4ec; --bg: #14191f;
  --dim: #98a4b1; --line: #2b333d; --bad: #ff7b7b; --trace: #36404a; --debug: #4a5765;
  --critical: #d0559a; --unknown: #4a4a4a; } }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--fg); background: var(--bg);
  max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin: 0; } h2 { font-size: 1.1em; margin: 2em 0 .5em; }
h2.w { overflow-wrap: anywhere; }
p { color: var(--dim); margin: .3em 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--dim); font-weight: normal; }
th, td { padding: .25em .8em .25em 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.w { overflow-wrap: anywhere; } .bad { color: var(--bad); } .dim { color: var(--dim); }
code { font-family: ui-monospace, monospace; font-size: .92em; }
svg { display: block; width: 100%; }
.cut { stroke: var(--dim); fill: none; vector-effect: non-scaling-stroke; stroke-dasharray: 2 2; }
.ends { display: flex; justify-content: space-between; gap: 1em; }
.bar { display: flex; height: .8em; margin-top: .35em; min-width: 8em; }
.wide { width: 50%; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 0; }
.keys { display: flex; flex-wrap: wrap; gap: 0 1em; }
@media (max-width: 640px) {
  body { margin: 1em auto; }
  thead { position: absolute; clip-path: inset(50%); }
  table, tbody { display: block; }
  tr { display: flex; flex-wrap: wrap; gap: 0 1.2em; padding: .5em 0;
    border-bottom: 1px solid var(--line); }
  td { border: 0; padding: 0; min-width: 0; }
  td.w, td.wide { flex: 1 0 100%; }
  td[data-head]::before { content: attr(data-head) " "; color: var(--dim); }
  td.none, td:empty { display: none; }
}
@media print {
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { max-width: none; margin: 0; padding: 0; }
  h2 { break-after: avoid; } tr, svg, li { break-inside: avoid; }
  details::details-content { content-visibility: visible; display: block; }
}
"""
STYLE += "".join(f".{s} {{ fill: var(--{s}); background: var(--{s}); }}\n" for s in CLASSES)
