"""A format from the configuration of the service that wrote the log.

Needs oslo.log: ``pip install 'opslog[learn]'``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from opslog.model.errors import OpslogError

try:
    from opslog.checking.learn_oslo import learn_oslo
except ImportError as error:
    raise OpslogError(
        f"learning from a configuration needs oslo.log ({error}): pip install 'opslog[learn]'"
    ) from None
from opslog.checking.learn_swift import learn_swift, templates


def learn(
    paths: Sequence[str | os.PathLike[str]], name: str | None = None
) -> dict[str, Any] | None:
    """Return the data of a format file for what a service so configured prints.

    ``paths`` are configuration files, a later one wins; behind them come the ``*.conf`` files
    of folders.  They are of Swift's proxy server, if they have its filter of access lines, else
    of a service that logs with oslo.log.  The format is called ``name``, by default as the first
    file.  None if the shipped formats read all of it: JSON, or Swift's own template.  Raises
    FormatError for a file that cannot be read, OsloOptionError or SwiftTemplateError for an
    option whose lines cannot be.
    """
    files = [os.fspath(path) for path in paths]
    if not files:
        raise OpslogError("expected the configuration files of a service, found none")
    found = templates(files)
    return learn_oslo(files, name) if found is None else learn_swift(files, found, name)
