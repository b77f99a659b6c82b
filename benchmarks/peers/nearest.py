"""Lines of a bad run that are far from every line of a good one, as LogJuicer finds them.

Words are made alike (ids, numbers, dates, addresses), hashed into features; a line is as new
as its nearest line of the good run is far (cosine distance), file by file of the same name.
Written for comparison, after what LogJuicer documents; scikit-learn does the arithmetic.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sklearn.feature_extraction.text import HashingVectorizer

THRESHOLD = 0.3
"""The least distance that is told."""

_ALIKE = (
    (re.compile(r"req-[0-9a-f-]+"), " RNGR "),
    (
        re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b[0-9a-fA-F]{16,}\b"),
        " RNGU ",
    ),
    (
        re.compile(
            r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b"
        ),
        " ",
    ),
    (re.compile(r"\d+\.\d+\.\d+\.\d+"), " RNGI "),
    (re.compile(r"[0-9]+"), " "),
    (re.compile(r"\W+"), " "),
)


class NewLine(NamedTuple):
    """A line of the bad run that is far from all of the good one."""

    distance: float
    file: str
    offset: int
    text: str


def alike(line: str) -> str:
    """Return a line with what differs from run to run made alike."""
    for pattern, instead in _ALIKE:
        line = pattern.sub(instead, line)
    return " ".join(word for word in line.split() if len(word) > 2)


def new_lines(bad: Path, good: list[Path]) -> list[NewLine]:
    """Return the lines of a folder that are new, the farthest first."""
    make = HashingVectorizer(binary=True, n_features=2**18, ngram_range=(1, 1))
    known: dict[str, dict[str, None]] = {}
    for folder in good:
        for name, _, line in _lines(folder):
            known.setdefault(_model(name), {}).setdefault(alike(line))
    wanted: dict[str, dict[str, tuple[str, int, str]]] = {}
    for name, offset, line in _lines(bad):
        wanted.setdefault(_model(name), {}).setdefault(alike(line), (name, offset, line))
    found = []
    for model, lines in wanted.items():
        texts = [text for text in lines if text]
        if not texts:
            continue
        have = [text for text in known.get(model, {}) if text]
        nearest = [0.0] * len(texts)
        if have:
            features = make.transform(have)
            for at in range(0, len(texts), 512):
                near = (make.transform(texts[at : at + 512]) @ features.T).max(axis=1)
                nearest[at : at + 512] = near.toarray().ravel().tolist()
        for text, close in zip(texts, nearest, strict=True):
            if 1 - close >= THRESHOLD:
                found.append(NewLine(1 - close, *lines[text]))
    return sorted(found, key=lambda one: (-round(one.distance, 2), one.file, one.offset))


def _model(name: str) -> str:
    """Return what files of one kind are called alike: without hosts and numbers."""
    return re.sub(r"\d+", "", name.rsplit("/", 1)[-1])


def _lines(folder: Path) -> Iterator[tuple[str, int, str]]:
    paths = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
    for path in (one for one in paths if one.is_file()):
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        offset = 0
        for line in data.split(b"\n"):
            yield str(path), offset, line.decode(errors="replace")
            offset += len(line) + 1
