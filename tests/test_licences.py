"""What opslog needs to run may be used and passed on by anybody: licences as packages state them."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, requires

from packaging.requirements import Requirement

from helpers import ROOT

FREE = re.compile(
    r"Apache|\bMIT\b|BSD|PSF|Python Software Foundation|MPL|Mozilla Public|ISC|Unlicense|0BSD|CNRI|Zlib"
)
REFUSED = re.compile(
    r"(?<![A-Za-z])A?L?GPL|General Public License|Proprietary|Commercial|SSPL|BUSL"
)


def needed() -> set[str]:
    """Return the names of all packages that opslog's users install with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [*project["dependencies"]]
    for extra in ("learn", "fluentd", "fsspec", "mask", "otlp"):
        waiting += project["optional-dependencies"][extra]
    found: set[str] = set()
    while waiting:
        one = Requirement(waiting.pop())
        if one.name.lower() in found or not (
            one.marker is None or one.marker.evaluate({"extra": ""})
        ):
            continue
        try:
            waiting += requires(one.name) or []
        except PackageNotFoundError:
            continue  # of another Python, or not needed by the tests
        found.add(one.name.lower())
    return found


def licence(name: str) -> str:
    """Return what a package says of its licence: its expression, its classifiers, its own words."""
    stated = metadata(name)
    classifiers = [one for one in stated.get_all("Classifier") or [] if one.startswith("License")]
    if expression := stated["License-Expression"]:
        return str(expression)
    return "; ".join(classifiers) or (stated["License"] or "").partition("\n")[0]


def test_what_is_needed_may_be_passed_on() -> None:
    names = needed()
    assert {"pyarrow", "regex", "oslo.log", "msgpack"} <= names
    wrong = {
        name: said
        for name in sorted(names)
        if not FREE.search(said := licence(name)) or REFUSED.search(said)
    }
    assert wrong == {}
