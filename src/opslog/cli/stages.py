"""The flags of stages: what is done with the records kept, always in the same order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from opslog.cli import conditions, flags, values
from opslog.cli.parser import DEDUP, SECRETS, SHARE
from opslog.inputs.paths import STDIN, Sources
from opslog.model.errors import OpslogError, SourceError, SourceErrors

if TYPE_CHECKING:
    from opslog.filters.filter import Filter
    from opslog.logs import Logs
    from opslog.model.stats import Stats
    from opslog.stages import Mask, Share

DROPPING = {"Dedup": "--dedup", "RateLimit": "--rate-limit", "Sample": "--sample"}
"""The flags of the stages that drop records, by the names Stats counts them under."""


def add(command: argparse.ArgumentParser) -> None:
    """Add the flags."""
    group = command.add_argument_group(
        "what to do with what is kept",
        "Done in this order, whatever the order of the options; --limit counts what is left.",
    )
    for short, name, where in (
        ("-A", "--after-context", "after"),
        ("-B", "--before-context", "before"),
        ("-C", "--context", "before and after"),
    ):
        group.add_argument(
            short, name, type=values.number(0, 1_000_000), metavar="N",
            help=f"keep also the N records of the same source {where} each kept one",
        )  # fmt: skip
    group.add_argument(
        "--dedup", nargs="?", const=DEDUP, metavar="WINDOW",
        type=values.seconds(0.001, "30s, 1m or 2h"),
        help="keep the first of messages that differ only in their values, and one that counts "
        "its repeats within WINDOW of the records' time (default: 1m)",
    )  # fmt: skip
    group.add_argument(
        "--rate-limit", type=values.rate, metavar="N/TIME[:COLUMN,...]",
        help="keep the first N records in each TIME (s, min, 10s, ...) of the records' time, "
        "separately for each host, service and program, or for each value of COLUMN,...",
    )  # fmt: skip
    group.add_argument(
        "--sample", type=values.part, metavar="RATE",
        help="keep this part of the requests, and of the records without a request: 0.01, 1%% or "
        "1/100",
    )  # fmt: skip
    add_mask(group)


def add_mask(group: argparse._ActionsContainer) -> None:
    """Add the flags that mask, also for commands without other stages."""
    group.add_argument(
        "--mask", nargs="?", const=SECRETS, choices=(SECRETS, SHARE), metavar="WHAT",
        help="replace passwords, tokens and the like by ***; --mask=share, for a public bug: also "
        "addresses, hosts, users and projects by pseudonyms, and say at the end how many",
    )  # fmt: skip
    group.add_argument(
        "--mask-key", metavar="FILE",
        help="like --mask, but equal secrets get equal names, made with the key in FILE, as do "
        "those of --mask=share in every run",
    )  # fmt: skip


_STAGES = ("after_context", "before_context", "context", "dedup", "rate_limit", "sample", "mask",
           "mask_key")  # fmt: skip


def piped(logs: Logs, wanted: Filter | None, options: argparse.Namespace) -> Logs:
    """Return ``logs`` with the filter and the stages the options say; raises OpslogError."""
    if not any(getattr(options, name) not in (None, False) for name in _STAGES):
        return logs if wanted is None else logs.filter(wanted)
    from opslog import stages  # start-up: most runs have none

    before = _given(options.before_context, options.context)
    after = _given(options.after_context, options.context)
    if before is not None or after is not None:
        if wanted is None:
            raise conditions.needs_condition("-A, -B, -C")
        logs = logs.pipe(stages.Context(wanted, before or 0, after or 0))
    elif wanted is not None:
        logs = logs.filter(wanted)
    if options.dedup is not None:
        logs = logs.pipe(stages.Dedup(options.dedup))
    if options.rate_limit is not None:
        with flags.about("--rate-limit"):
            logs = logs.pipe(stages.RateLimit(*options.rate_limit))
    if options.sample is not None:
        logs = logs.pipe(stages.Sample(options.sample))
    return masked(logs, options)


def masked(logs: Logs, options: argparse.Namespace) -> Logs:
    """Return ``logs`` with the stage that masks, if the options say so; raises OpslogError."""
    mask = mask_of(options)
    return logs if mask is None else logs.pipe(mask)


def mask_of(options: argparse.Namespace) -> Mask | Share | None:
    """Return the stage that masks, None if nothing is to be masked; raises OpslogError.

    For one run it is always the same.  One to share has read the names in files before.
    """
    if options.mask is None and options.mask_key is None:
        return None
    if (known := vars(options).get("masking")) is None:
        from opslog import stages

        key = _key(options.mask_key)
        if options.mask == SHARE:
            known = stages.Share(key)
            _learn(known, options)
        else:
            known = stages.Mask(key)
        options.masking = known
    mask: Mask | Share = known
    return mask


def report(options: argparse.Namespace) -> None:
    """Say on standard error what was replaced, if records are to be shared."""
    mask = vars(options).get("masking")
    if mask is not None and options.mask == SHARE:
        print(f"opslog: {mask.report()}", file=sys.stderr)


def _learn(share: Share, options: argparse.Namespace) -> None:
    """Let the stage know the names in files, which can be read twice."""
    paths = vars(options).get("paths")
    if paths is None or vars(options).get("follow"):
        return
    from opslog.stages.share import LEARNED

    sources = Sources.of(tuple(paths))
    if STDIN not in sources.paths and not sources.readable_once():
        with suppress(SourceError, SourceErrors):  # said when they are read again
            share.learn(flags.logs(options).batches(LEARNED))


def dropped(stats: Stats) -> Iterator[tuple[str, int]]:
    """Yield each flag that dropped records, and how many."""
    for name, flag in DROPPING.items():
        if count := stats.dropped.get(name):
            yield flag, count


_LET_GO = {
    "Context": "-A, -B, -C: {:,} sources were forgotten, as there were too many: records around "
    "those that were kept may be missing",
    "Dedup": "--dedup: the repeats of {:,} messages were told before their time, as there were "
    "too many messages",
    "RateLimit": "--rate-limit: {:,} services, or what was named, were forgotten, as there were "
    "too many: more of their records passed, and how many were dropped may not be told",
}


def let_go(stats: Stats) -> Iterator[str]:
    """Yield, for each stage that had more to remember than it may, what that means."""
    for name, text in _LET_GO.items():
        if count := stats.let_go.get(name):
            yield text.format(count)


def _given(own: int | None, both: int | None) -> int | None:
    return both if own is None else own


def _key(path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            key = file.read().strip()
    except OSError as error:
        raise OpslogError(f"--mask-key: {path}: {error.strerror or error}") from None
    if not key:
        raise OpslogError(f"--mask-key: {path}: expected a key of some bytes, found an empty file")
    return key
