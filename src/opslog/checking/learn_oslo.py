"""A format from the configuration of a service that logs with oslo.log.

Layouts are derived from the options, and oslo.log itself prints the samples, so that a format
that is returned reads what oslo.log prints.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from opslog.checking.check import check
from opslog.checking.oslo_printers import printers
from opslog.checking.oslo_samples import NAMES_WITH_BLANKS, TIME, PrintedSample, samples
from opslog.checking.sample_reader import SampleReader
from opslog.language import oslo
from opslog.language.format_file import from_dict
from opslog.language.percent import OPTION_NAMES, OsloOptions, keys_of
from opslog.model.errors import OsloOptionError, SampleError


def learn_oslo(files: list[str], name: str | None) -> dict[str, Any] | None:
    """Return the data of a format file for what the service so configured prints.

    None if it prints nothing but JSON, which the shipped formats read.  Raises FormatError for
    a file that cannot be read, OsloOptionError for an option whose lines cannot be.
    """
    printed: list[PrintedSample] = []
    sets: list[dict[str, str]] = []
    for printer in printers(files):
        try:
            oslo.derive(printer.options)
        except OsloOptionError as error:
            raise OsloOptionError(error.option, error.value, error.reason, printer.path) from None
        stated = _stated(printer.options)
        if stated not in sets:
            sets.append(stated)
            printed += samples(printer)
    if not sets:
        return None
    place = ", ".join(files)
    data = {
        "name": name or Path(files[0]).stem,
        "title": f"oslo.log's lines as {place} configures them",
        "follow_on": True,
        "oslo": [{"release": f"as in {place}", **stated} for stated in sets],
        "samples": [{"line": sample.line, "expect": sample.expect} for sample in printed],
    }
    _state_times(data, printed)
    try:
        check(from_dict(data, "learned"))
    except SampleError as error:
        raise _not_read_back(printed[int(re.sub(r"\D", "", error.key))], error) from None
    return data


def _stated(options: OsloOptions) -> dict[str, str]:
    """Return the options that have not today's default."""
    today = OsloOptions()
    values = {option: getattr(options, option) for option in OPTION_NAMES}
    return {option: value for option, value in values.items() if value != getattr(today, option)}


def _state_times(data: dict[str, Any], printed: Sequence[PrintedSample]) -> None:
    """Add the times that were read to the samples; refuse an option that prints another time."""
    reader = SampleReader(from_dict(data, "learned"))
    for sample, stated in zip(printed, data["samples"], strict=True):
        text = getattr(sample.printer.options, sample.option)
        if not {"asctime", "isotime", "created"} & set(keys_of(text)):
            continue
        [found, *_] = [record["timestamp"] for record in reader.records(sample.line)] or [None]
        if found:
            if abs(datetime.fromisoformat(found) - TIME) >= timedelta(seconds=1):
                reason = f"the time it prints for {TIME.isoformat()} is read as {found}"
                raise sample.printer.refused(sample.option, reason)
            stated["expect"] = {"timestamp": found, **sample.expect}


def _not_read_back(sample: PrintedSample, error: SampleError) -> OsloOptionError:
    """Return the error of the option to blame for a sample that is not read as it was printed."""
    printer, option, line = sample.printer, sample.option, sample.line
    what, hint = "a line it prints", ""
    if any(name in line for name in NAMES_WITH_BLANKS.values()):
        what = "a line it prints for a name with a blank"
    elif printer.prefixes and "\n" in line:
        # Lines with this context were read, so it is those of the traceback.
        option = "logging_exception_prefix"
        what = "a traceback it prints"
        if not printer.options.logging_exception_prefix.endswith((" ", "%(instance)s")):
            hint = "; oslo.config strips a blank at the end unless the value is in quotes"
    return printer.refused(option, f"{what} is not read back{hint}: {error.reason}")
