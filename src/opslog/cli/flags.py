"""The options that several commands have, and the logs they name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opslog.cli import values
from opslog.engine.live import HOLD
from opslog.logs import Logs, read
from opslog.model import names, zones
from opslog.model.errors import OpslogError
from opslog.scanner import catalog

if TYPE_CHECKING:
    from opslog.config.settings import Settings
    from opslog.language.format import Format

Group = argparse._ActionsContainer


def add_reading(command: argparse.ArgumentParser) -> Group:
    """Add the paths and the options that say how they are read; return their group."""
    command.add_argument(
        "paths", nargs="*", metavar="PATH", default=["-"],
        help="files, folders or globs; - is standard input (default); "
        "gzip, bzip2, xz, zstd and tar are recognised by content",
    )  # fmt: skip
    group = command.add_argument_group("reading")
    add_no_config(group)
    add_times(group)
    group.add_argument(
        "--threads", type=values.number(1, 256), metavar="N",
        help="threads to use (default: the processors there are, at most 4)",
    )  # fmt: skip
    add_formats(command)
    return group


def add_no_config(group: Group) -> None:
    """Add the option that leaves out files of settings; only commands with it read them."""
    group.add_argument(
        "--no-config", action="store_true",
        help="read no config file (`opslog config` tells which are read)",
    )  # fmt: skip


def add_times(group: Group) -> None:
    """Add the options that say how times are read."""
    group.add_argument(
        "--timezone", action="append", type=values.zone, metavar="ZONE", default=[],
        help="zone of times without an offset: an IANA name or +HH:MM (default: UTC); "
        "PATTERN=ZONE is for the files whose path or name matches PATTERN, or whose path tells "
        "a host that matches, as in host:cmp*=UTC; "
        "may be given again: of several that match, the last one counts",
    )  # fmt: skip
    group.add_argument(
        "--year", type=values.year, metavar="YEAR",
        help="year of times without one (default: the last in which they are not after the "
        "file's last change)",
    )  # fmt: skip


def add_formats(command: argparse.ArgumentParser) -> None:
    """Add the options that choose formats beside the shipped ones."""
    group = command.add_argument_group(
        "formats (before those in ~/.config/opslog/formats and the shipped ones)"
    )
    group.add_argument(
        "--formats", action="append", default=[], metavar="PATH",
        help="a folder of format files, or a format file; may be given again",
    )  # fmt: skip
    group.add_argument(
        "--oslo-config", action="append", default=[], metavar="FILE",
        help="the configuration of the service that wrote the logs (nova.conf, or Swift's "
        "proxy-server.conf), from which their format is learned; may be given again: the later "
        "file wins",
    )  # fmt: skip


def add_index(group: Group) -> None:
    """Add the option that says whether an index is kept."""
    group.add_argument(
        "--index", action=argparse.BooleanOptionalAction,
        help="keep which ids of requests are where in large files, in ~/.cache/opslog/index, so "
        "that the next search for one is fast (default: use it; trace keeps it, too)",
    )  # fmt: skip


def add_hold(group: Group) -> None:
    """Add the option that says how long a record waits."""
    group.add_argument(
        "--hold", type=values.seconds(0, "0.2, 200ms or 5s"), metavar="TIME", default=HOLD,
        help="how long a record from a pipe, or with -f, waits for more lines; 0: not at all "
        "(default: %(default)ss)",
    )  # fmt: skip


def add_names(group: Group) -> None:
    """Add the option that says how columns are called."""
    group.add_argument(
        "--names", choices=names.SPELLINGS, default=names.OPSLOG,
        help="names of the columns: opslog's own, of OpenTelemetry, of the Elastic Common "
        "Schema or of kolla-ansible (default: opslog)",
    )  # fmt: skip


def add_original(group: Group) -> None:
    """Add the option for the column of lines."""
    group.add_argument(
        "--original", action="store_true", help="add the column of the lines as read"
    )


def add_color(group: Group) -> None:
    """Add the option that says whether text has colors."""
    group.add_argument(
        "--color", choices=["auto", "always", "never"], default="auto",
        help="colors in text (default: auto, on a terminal unless NO_COLOR is set)",
    )  # fmt: skip


def add_display_timezone(group: Group) -> None:
    """Add the option that says in which zone text shows times."""
    group.add_argument(
        "--display-timezone", type=values.display_zone, metavar="ZONE",
        help="in text: the zone that times are shown in (default: on a terminal that of the "
        "config file, or your own, else UTC)",
    )  # fmt: skip


def add_top(group: Group, what: str) -> None:
    """Add the option that says how many rows text has."""
    group.add_argument(
        "-t", "--top", type=values.number(0, 1_000_000), default=10, metavar="N",
        help=f"{what} (default: 10)",
    )  # fmt: skip


def add_metrics(command: argparse.ArgumentParser) -> None:
    """Add the option that names the file of metrics."""
    command.add_argument(
        "--metrics", metavar="FILE",
        help="write what was read and kept to FILE for Prometheus (node_exporter's textfile "
        "collector), every 15 seconds and at the end",
    )  # fmt: skip


def add_exit_zero(command: argparse.ArgumentParser, when: str = "nothing was kept") -> None:
    """Add the option that makes finding nothing a success."""
    command.add_argument("--exit-zero", action="store_true", help=f"exit with 0 even if {when}")


def add_no_progress(command: argparse.ArgumentParser) -> None:
    """Add the option that hides the bar."""
    command.add_argument(
        "--no-progress", action="store_true", help="do not show how far a long run is"
    )


def logs(options: argparse.Namespace, **more: Any) -> Logs:
    """Return the logs that the options name, all of their records; ``more`` is for ``read``."""
    return read(*options.paths, **reading(options), **more)


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """Return how the options say that sources are read, in the words of ``read``."""
    return {
        "timezone": timezone(options),
        "year": options.year,
        "threads": options.threads or min(4, len(os.sched_getaffinity(0))),
        "formats": formats(options),
        **({"index": options.index} if "index" in options else {}),
    }


def given(options: argparse.Namespace) -> list[str]:
    """Return how the options say that sources are read, as somebody would type it."""
    year = [] if options.year is None else [options.year]
    named = (("timezone", options.timezone), ("year", year), ("formats", options.formats),
             ("oslo-config", options.oslo_config))  # fmt: skip
    return [f"--{name}={one}" for name, some in named for one in some]


def timezone(options: argparse.Namespace) -> dict[str, str]:
    """Return the zones by pattern that the options say, and what they leave to the settings."""
    said = zones.stated(options.timezone)
    settings = settings_of(options)
    if settings is None or "*" in said:  # one for all files is for those of other patterns, too
        return said
    return {p: one.value for p, one in settings.timezone.items() if p not in said} | said


def settings_of(options: argparse.Namespace) -> Settings | None:
    """Return what files of settings say, None where none was read."""
    settings: Settings | None = vars(options).get("settings")
    return settings


def formats(options: argparse.Namespace) -> list[str | os.PathLike[str] | Format]:
    """Return the formats beside the shipped ones.

    They are those learned, those named, those of files of settings, and those of the user.
    """
    found: list[str | os.PathLike[str] | Format] = []
    if options.oslo_config:
        from opslog.checking.learn import learn  # start-up: imports oslo.log
        from opslog.language.format_file import from_dict

        with about("--oslo-config"):
            data = learn(options.oslo_config)
        found += [] if data is None else [from_dict(data, options.oslo_config[0])]
    for path in options.formats:
        if not os.path.exists(path):
            raise OpslogError(
                f"--formats: {path}: expected a format file or a folder of them, found nothing"
            )
    found += options.formats
    settings = settings_of(options)
    found += [one.value for one in settings.formats] if settings is not None else []
    folder = catalog.user_folder()
    try:
        own = any(folder.glob("*.toml"))
    except OSError:  # of a service's user the home may be another's
        own = False
    return [*found, folder] if own else found


@contextmanager
def about(flag: str) -> Iterator[None]:
    """Say of an error which option it is about."""
    try:
        yield
    except OpslogError as error:
        raise OpslogError(f"{flag}: {error}") from None


def display_zone(
    options: argparse.Namespace, other: str | None = None, terminal: bool | None = None
) -> zones.Zone | None:
    """Return the zone in which text shows times, None for UTC.

    ``terminal`` is as for ``colored``.  Raises OpslogError for a zone that is said where
    ``other`` is written, which is no text.
    """
    if options.display_timezone is not None:
        if other is not None:
            raise OpslogError(f"--display-timezone: has no effect on {other}: leave it out")
        zone: zones.Zone = options.display_timezone
        return zone
    if other is not None or not (os.isatty(1) if terminal is None else terminal):
        return None
    settings = settings_of(options)
    said = settings and settings.display_timezone
    return zones.Zone(said.value) if said else zones.own_zone()


def colored(options: argparse.Namespace, terminal: bool | None = None) -> bool:
    """Return whether text has colors, as ``--color`` and the environment say.

    ``terminal`` says whether it is for a terminal: if None, whether standard output is one.
    """
    if options.color != "auto":
        return bool(options.color == "always")
    terminal = os.isatty(1) if terminal is None else terminal
    # https://no-color.org: any value but the empty one.
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
