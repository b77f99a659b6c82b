"""What people type by habit from other tools, and what it is called here."""

from __future__ import annotations

from collections.abc import Collection

_OPTIONS = {
    "--grep": "-e -E -F -P -g --regex --regexp --pattern --search --match --include "
    "--message --text",
    "--severity": "-l -p -L --level --log-level --loglevel --min-level --priority --sev",
    "--service": "-u -s --svc --component --unit --app",
    "--program": "-t --identifier --process --binary",
    "--host": "-H --hostname --node --server",
    "--logger": "--module",
    "--request": "-r --req --request-id --req-id --id --global-request-id",
    "--resource": "--instance --uuid --vm --volume --port --resource-id",
    "--project": "--tenant --project-id --tenant-id",
    "--user": "--user-id --username",
    "--status": "--code --http-status --status-code",
    "--since": "-S --from --start --begin --after --since-time --newer",
    "--until": "-U --end --before --stop --older",
    "--where": "--query --filter --expr --condition --select",
    "-v": "--exclude --not --invert --invert-filter",
    "-n": "-m --head --first --max --max-count --lines --count-max",
    "--tail": "--last --newest",
    "--columns": "--fields --cols -k --keys --output-fields",
    "--to": "--format --output-format --json --jsonl --ndjson --csv --tsv --parquet --arrow --text "
    "--raw --pretty",
    "--json": "--jsonl --ndjson",
    "-o": "-w --out --outfile --output-file",
    "-f": "-F --tailf",
    "--merge": "--sort --order --time-order --chronological",
    "--timezone": "--tz --zone --time-zone",
    "--display-timezone": "--utc --local --localtime",
    "--no-pager": "--pager --no-less",
    "--color": "--no-color --colour --no-colour --colors",
    "--full": "-a --all --long --wide --no-truncate --verbose",
    "-A": "--after-lines",
    "-C": "--around",
    "--mask": "--redact --anonymize --anonymise --scrub --hide",
    "--dedup": "--uniq --unique --distinct --deduplicate",
    "--threads": "-j --jobs --parallel --workers",
    "--no-progress": "--no-bar",
    "-c": "-q --quiet --silent --total",
    "-t": "--number --limit -n",
    "--top": "--number",
    "--every": "--interval --bucket --step --bin",
    "--reverse": "-r --desc --descending",
}
_VALUES = {
    "--json": "jsonl", "--jsonl": "jsonl", "--ndjson": "jsonl", "--csv": "csv", "--tsv": "tsv",
    "--parquet": "parquet", "--arrow": "arrow", "--text": "text", "--pretty": "text",
    "--raw": "original", "--no-color": "never", "--no-colour": "never", "--utc": "UTC",
}  # fmt: skip
"""The value that goes with the option that is meant."""

_VALUED = ("--to", "--color", "--display-timezone")

_MEANT: dict[str, list[str]] = {}
for _option, _words in _OPTIONS.items():
    for _word in _words.split():
        _MEANT.setdefault(_word, []).append(_option)

_COMMANDS = {
    "filter": "grep cat show view read search find query tail head less print convert parse follow "
    "select where logs log export write jq normalize normalise",
    "stats": "count counts top summary summarize summarise histogram errors timeline report",
    "trace": "story request follow-request show-request timeline-of",
    "requests": "reqs apis api calls",
    "resources": "instances servers volumes ports vms vm",
    "events": "notifications audit",
    "doctor": "check health diagnose lint verify",
    "formats": "format parsers",
    "schema": "columns fields",
    "completion": "complete completions",
}
_COMMAND_OF = {word: command for command, words in _COMMANDS.items() for word in words.split()}


def option_meant(flag: str, known: Collection[str]) -> str | None:
    """Return which of the ``known`` options, with its value, ``flag`` of another tool means.

    Returns an empty text for a habit of which none of them is meant, None for any other flag.
    """
    short = flag if flag.startswith("--") else flag[:2]
    if short not in _MEANT:
        return None
    for option in _MEANT[short]:
        if option in known:
            value = _VALUES.get(flag) if option in _VALUED else None
            return f"{option} {value}" if value else option
    return ""


def command_meant(word: str) -> str | None:
    """Return the command that a word means."""
    return _COMMAND_OF.get(word.lower())
