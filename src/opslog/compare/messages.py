"""Messages that are new, come more often, or have gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from opslog.compare.draft import Draft, evidence, short
from opslog.compare.significance import adjusted, median, more_often
from opslog.compare.templates import Key, Template
from opslog.model.severity import CLASSES
from opslog.terminal.words import count

CERTAIN = 0.001
"""The greatest probability with which a difference of counts is told."""

_RATIO = 2.0
"""How much more often than expected what comes more often comes at least."""

_ERROR, _WARNING, _INFO = (CLASSES.index(name) for name in ("error", "warning", "info"))
_UNKNOWN = CLASSES.index("unknown")

_FAILS = re.compile(
    r"(?i)\b(?:fail(?:s|ed|ure|ures|ing)?|errors?|fatal|exception|traceback|timed? ?out|timeout"
    r"|refused|denied|forbidden|unauthorized|unreachable|unable|cannot|could not|not found"
    r"|aborted|killed|out of memory|no space|panic|exceeded|invalid|lost|unavailable|rejected)\b"
)
"""What a message says that is called no error and tells of one all the same."""

_NEAR, _NEAR_ERRORS = 0.7, 0.85
"""Share of equal words from which a message is another one's with other names in it."""

_MOST_NEAR = 2_000
"""Templates of one service and length that a message is compared with."""

_SCORES = {"critical": 62, "error": 56, "warning": 34, "info": 18, "debug": 6, "trace": 4}


def says_failure(key: Key) -> bool:
    """Return whether a message tells of a failure in words."""
    return _FAILS.search(key.template) is not None


def is_error(key: Key) -> bool:
    """Return whether a message is an error, or has an exception."""
    return bool(key.raised) or _ERROR <= key.level < _UNKNOWN


def joined(drafts: Iterable[Draft]) -> Iterator[Draft]:
    """Yield drafts, as one those of several services that say the same error."""
    errors: dict[str, list[Draft]] = {}
    for one in drafts:
        if one.kind == "error" and one.template:
            errors.setdefault(one.template, []).append(one)
        else:
            yield one
    for some in errors.values():
        first, *others = sorted(some, key=lambda one: one.place)
        first.followed_by = others
        first.bad = sum(one.bad for one in some)
        first.score = max(one.score for one in some)
        first.records = sum(one.records for one in some)
        first.roots = frozenset().union(*(one.roots for one in some))
        yield first


def failures(bad: Iterable[Template]) -> Iterator[Draft]:
    """Yield a draft for each error: where there is nothing good to compare with."""
    for one in bad:
        if is_error(one.key) or (one.key.level == _UNKNOWN and says_failure(one.key)):
            yield _draft("error", one, _times(one))


def messages(
    bad: Sequence[Template], good: Sequence[dict[Key, Template]], both: bool = False
) -> Iterator[Draft]:
    """Yield drafts of the templates of a bad run that good runs have not, or seldom, or more often.

    ``good`` are the templates of each good run.  With ``both`` what only good runs have counts as
    much as what only the bad one has.
    """
    known = _Known(good)
    ratio = _Ratios(bad, good)
    counted: list[tuple[Template, int, float]] = []
    seen: set[Key] = set()
    for one in bad:
        seen.add(one.key)
        before = sum(run[one.key].occasions for run in good if one.key in run)
        if before:
            probability = more_often(one.occasions, before, ratio.of(one.key.service))
            most = max(run[one.key].occasions for run in good if one.key in run)
            expected = max(most * ratio.of_one(one.key.service), 1e-9)
            often = one.occasions >= _RATIO * expected
            counted.append((one, before, probability if often else 1.0))
        elif (other := known.near(one.key)) is not None:
            seen.add(other)
        else:
            yield _new(one, ratio.of(one.key.service))
    for (one, before, _), probability in zip(
        counted, adjusted([chance for *_, chance in counted]), strict=True
    ):
        if probability <= CERTAIN:
            yield _more(one, before, ratio.of(one.key.service), probability)
    yield from _only_good(seen, good) if both else _gone(seen, good, ratio)


def _new(one: Template, ratio: float) -> Draft:
    kind = "error" if is_error(one.key) else "new"
    draft = _draft(kind, one, f"{_times(one)}, never in good runs")
    draft.score += evidence(more_often(one.occasions, 0, ratio))
    return draft


def _more(one: Template, before: int, ratio: float, probability: float) -> Draft:
    expected = before * ratio
    draft = _draft(
        "more",
        one,
        f"{_times(one)}; as in good runs it would be {expected:,.1f}",
    )
    draft.score += evidence(probability) - 12
    draft.good, draft.probability = before, probability
    return draft


def _gone(seen: set[Key], good: Sequence[dict[Key, Template]], ratio: _Ratios) -> Iterator[Draft]:
    """Yield messages that all good runs have, and the bad one has not, though it should."""
    if not good:
        return
    gone = [key for key in good[0] if key not in seen and all(key in run for run in good)]
    chances = [
        more_often(before, 0, 1 / ratio.of(key.service))
        for key in gone
        for before in [sum(run[key].occasions for run in good)]
    ]
    for key, probability in zip(gone, adjusted(chances), strict=True):
        if probability > CERTAIN:
            continue
        before = sum(run[key].occasions for run in good)
        one = good[0][key]
        draft = _draft("gone", one, f"{before:,} times in good runs, never here")
        draft.bad, draft.good, draft.probability = 0, before, probability
        draft.score = 12 if key.level == _INFO else 8
        draft.roots, draft.first, draft.request = frozenset(), None, None
        yield draft


def _only_good(seen: set[Key], good: Sequence[dict[Key, Template]]) -> Iterator[Draft]:
    """Yield the messages that only good runs have."""
    for key, one in {key: one for run in good for key, one in run.items()}.items():
        if key not in seen:
            draft = _draft("gone", one, f"{_times(one)} before, never after")
            draft.bad, draft.good, draft.roots = 0, one.occasions, frozenset()
            draft.request = None
            yield draft


def _draft(kind: str, one: Template, text: str) -> Draft:
    score = float(_SCORES.get(one.severity, 16))
    if one.key.raised:
        score = max(score, 54)
    elif not is_error(one.key) and says_failure(one.key):
        score += 9
    return Draft(
        kind,
        score,
        f"{_title(one)}, {text}: {short(one.said)}",
        service=one.key.service or None,
        severity=one.severity,
        template=one.key.template,
        bad=one.occasions,
        records=one.records,
        first=one.time,
        source=one.source,
        offset=one.offset,
        quote=one.said,
        host=one.host,
        request=one.request or one.root,
        roots=frozenset(one.roots),
    )


def _title(one: Template) -> str:
    name = "message" if one.key.level == _UNKNOWN else one.severity
    return f"{one.key.service} {name}" if one.key.service else name


def _times(one: Template) -> str:
    return count(one.records, "time") if one.records != 1 else "once"


class _Ratios:
    """How much more a bad run says than good ones do, of what both say: by service."""

    def __init__(self, bad: Sequence[Template], good: Sequence[dict[Key, Template]]) -> None:
        self._runs = max(1, len(good))
        found: dict[str, list[float]] = {}
        for one in bad:
            before = sum(run[one.key].occasions for run in good if one.key in run)
            if before + one.occasions >= 4 and before:
                found.setdefault(one.key.service, []).append(one.occasions / before)
        every = [value for values in found.values() for value in values]
        self._all = median(every) or 1 / self._runs
        self._by_service = {
            service: median(values) for service, values in found.items() if len(values) >= 5
        }

    def of(self, service: str) -> float:
        """Return it compared with all good runs together."""
        return self._by_service.get(service) or self._all

    def of_one(self, service: str) -> float:
        """Return it compared with one good run."""
        return self.of(service) * self._runs


class _Known:
    """Templates of good runs by their words, to find those that differ in names only."""

    def __init__(self, good: Sequence[dict[Key, Template]]) -> None:
        self._by_length: dict[tuple[str, int, int], list[tuple[list[str], Key]]] = {}
        for run in good:
            for key in run:
                words = key.template.split()
                rows = self._by_length.setdefault((key.service, key.level, len(words)), [])
                if len(rows) < _MOST_NEAR:
                    rows.append((words, key))

    def near(self, key: Key) -> Key | None:
        """Return a template that says the same but for a few words, None without one."""
        words = key.template.split()
        least = (_NEAR_ERRORS if is_error(key) else _NEAR) * len(words)
        for others, known in self._by_length.get((key.service, key.level, len(words)), ()):
            same = sum(a == b for a, b in zip(words, others, strict=True))
            if same >= least and known.raised == key.raised and len(words) > 2:
                return known
        return None
