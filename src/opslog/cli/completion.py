"""``opslog completion``: a script with which a shell completes the command's options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator

from opslog.cli.parser import Commands

SHELLS = ("bash", "zsh", "fish")

_EXAMPLES = """\
examples:
  opslog completion bash > ~/.local/share/bash-completion/completions/opslog
  opslog completion zsh > "${fpath[1]}/_opslog"
  opslog completion fish > ~/.config/fish/completions/opslog.fish
"""


def add(commands: Commands, parser: Callable[[], argparse.ArgumentParser]) -> None:
    """Add the command; ``parser`` makes the parser whose options are completed."""
    command = commands.add_parser(
        "completion",
        help="print a shell's completion script",
        description="Print a script with which a shell completes opslog's commands and options.",
        epilog=_EXAMPLES,
    )
    command.add_argument("shell", choices=SHELLS, help="the shell that reads it")
    command.set_defaults(run=lambda options: run(options, parser()))


def run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the script; return the exit code."""
    import shtab  # start-up: no other command needs it

    for action in _actions(parser):
        if action.metavar in ("PATH", "FILE"):
            setattr(action, "complete", shtab.FILE)  # noqa: B010  argparse does not know it
    script = shtab.complete(parser, options.shell)
    # For shtab "several" means one in zsh: of files it would complete the first only.
    print(re.sub(r'"\(\*\)::?', '"*:', script) if options.shell == "zsh" else script)
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
