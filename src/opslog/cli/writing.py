"""What must not be written to: the checks of each command that writes files, before it reads."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from opslog.cli import flags
from opslog.inputs.paths import STDIN, expand, file_id, in_archive
from opslog.inputs.remote import is_url
from opslog.model.errors import OpslogError, SinkError
from opslog.outputs.collision import (
    refuse_input,
    refuse_input_folder,
    refuse_named,
    refuse_shared,
)
from opslog.outputs.output import STDOUT, failed, is_stream
from opslog.outputs.own_kinds import CHECKPOINT, OwnKind
from opslog.outputs.sinks import is_folder
from opslog.outputs.whole_file import check_replaceable, holds
from opslog.scanner import catalog


@dataclass(frozen=True, slots=True)
class Named:
    """An output that an option names: the ``path`` after ``flag``, None where it is not given.

    ``own`` is the kind of file that appears there as a whole; None for what is checked
    when it is opened.  ``stdout``: whether ``-`` stands for standard output.
    """

    flag: str
    path: str | None
    own: OwnKind | None = None
    stdout: bool = False


def add(command: argparse._ActionsContainer) -> None:
    """Add the option that insists."""
    command.add_argument(
        "--overwrite", action="store_true",
        help="replace also a file that is not empty and was not written by this option; never one "
        "that is read",
    )  # fmt: skip


def check(options: argparse.Namespace, *outputs: Named, follow: bool = False) -> None:
    """Raise OpslogError for an output that is read, is another one too, or must stay as it is."""
    paths = tuple(getattr(options, "paths", (STDIN,)))
    if options.overwrite and all(one.path in (None, STDOUT) for one in outputs):
        raise OpslogError("--overwrite: has no effect without a file to write to: leave it out")
    read_beside = [*_read_beside(options), str(catalog.user_folder())]
    for one in outputs:
        path = one.path
        if path is None:
            continue
        if path == STDOUT and one.stdout:
            _refuse_own_output(paths)
            continue
        if path == STDOUT:
            raise OpslogError(f"{one.flag} -: expected the name of a file")
        if one.own is None and is_folder(path):
            refuse_input_folder(path, paths, follow)
            continue
        refuse_input(path, tuple(read_beside))
        _refuse_stream_twice(one, path)
        if follow and one.own is not None and holds(path, one.own):
            refuse_named(path, paths)  # a run does not follow its own files
        else:
            refuse_input(path, paths, follow and one.own is None)
        if one.own is CHECKPOINT:
            from opslog.following.checkpoint import load  # start-up: most runs have none

            load(path)  # raises the error that says more
        elif one.own is not None:
            check_replaceable(path, one.own, options.overwrite)
    streams = [one.flag for one in outputs if one.path == STDOUT and one.stdout]
    if len(streams) > 1:
        raise OpslogError(f"{' and '.join(streams)} both name standard output; name a file")
    refuse_shared([(one.flag, one.path) for one in outputs if one.path not in (None, STDOUT)])


def check_standard_output(options: argparse.Namespace) -> None:
    """Raise OpslogError where standard output is a file that an argument names as an input.

    What lies in a folder or fits a glob may be, where nothing is written before all is read:
    `opslog stats /var/log >> /var/log/stats.txt`.
    """
    named = (*getattr(options, "paths", ()), *getattr(options, "files", ()))
    for path in (*named, *_read_beside(options)):
        try:
            refuse_named(STDOUT, (path,))
        except SinkError:
            raise OpslogError(
                f"standard output: is also an input, {path}; write to another file"
            ) from None
    reads_stdin = STDIN in named or hasattr(options, "read")  # fluentd
    out = file_id(1)
    if reads_stdin and out is not None and os.fstat(1).st_size and file_id(0) == out:
        raise OpslogError(
            "standard output: is also an input, standard input; write to another file"
        )


def _refuse_own_output(paths: tuple[str, ...]) -> None:
    """Raise OpslogError for standard output that is a file among the sources: it would grow."""
    if (own := file_id(1)) is None:
        return
    for name in expand(tuple(path for path in paths if not is_url(path))):
        if name != STDIN and file_id(in_archive(name)[0]) == own:
            raise OpslogError(
                f"standard output: is also an input, {name}; write to a file that is not read"
            )


def _read_beside(options: argparse.Namespace) -> list[str]:
    """Return the files that options name and that are read beside the logs."""
    key = getattr(options, "mask_key", None)
    formats = getattr(options, "formats", [])
    found = [*formats, *getattr(options, "oslo_config", []), *([key] if key else [])]
    if (settings := flags.settings_of(options)) is not None:
        found += [*settings.files, *(one.value for one in settings.formats)]
    return found


def _refuse_stream_twice(one: Named, path: str) -> None:
    """Raise SinkError for a file that standard output is, too."""
    try:
        if is_stream(path):  # also /dev/stdout, which is written as it is
            return
    except (OSError, ValueError) as error:
        raise failed(path, error) from None
    if (own := file_id(path)) is not None and own == file_id(1):
        raise SinkError(path, f"standard output and {one.flag} name this file; name two")
