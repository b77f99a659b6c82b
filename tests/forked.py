"""The command many times, quickly: in forks of one process that has imported it all.

A run may be told that the disk is full, or that it has no more rights than its
user, whoever runs the tests.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 60

_FULL_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A regular file may have as many bytes as OPSLOG_TEST_ROOM says. */
ssize_t write(int fd, const void *data, size_t size) {
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    const char *text = getenv("OPSLOG_TEST_ROOM");
    struct stat status;
    if (text && !fstat(fd, &status) && S_ISREG(status.st_mode)) {
        long room = atol(text) - (long)status.st_size;
        if (room <= 0) {
            errno = ENOSPC;
            return -1;
        }
        if (size > (size_t)room) size = room;
    }
    return next(fd, data, size);
}
"""


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


class Commands:
    """Runs of the command."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        environment = dict(os.environ)
        compiler = shutil.which("cc") or shutil.which("gcc")
        self.can_fill_the_disk = compiler is not None
        if compiler is not None:
            source, library = (Path(self._folder.name) / name for name in ("full.c", "full.so"))
            source.write_text(_FULL_DISK)
            subprocess.run(
                [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True
            )
            environment["LD_PRELOAD"] = str(library)
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=environment,
        )  # fmt: skip

    def run(
        self,
        *arguments: str,
        cwd: Path,
        stdin: Path = Path(os.devnull),
        room: int | None = None,
        rights: bool = True,
        terminate: float | None = None,
    ) -> Result:
        """Run the command in ``cwd``.

        A file may grow to ``room`` bytes.  Without ``rights`` modes hold for root, too.
        After ``terminate`` seconds it gets SIGTERM.
        """
        asked = {"arguments": arguments, "cwd": str(cwd), "stdin": str(stdin), "room": room,
                 "rights": rights, "terminate": terminate}  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        return Result(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()
        self._folder.cleanup()


def _serve() -> None:
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    import opslog.cli
    import opslog.correlate.relations
    import opslog.trace  # noqa: F401

    for line in sys.stdin.buffer:
        print(json.dumps(_run(**json.loads(line))), flush=True)


def _run(**asked: Any) -> dict[str, Any]:
    out, into_out = os.pipe()
    err, into_err = os.pipe()
    if (child := os.fork()) == 0:
        os._exit(_command(into_out, into_err, **asked))
    os.close(into_out)
    os.close(into_err)
    with open(out, "rb") as said, open(err, "rb") as told:
        texts = {"out": said.read().decode(), "err": told.read().decode()}
    return {"code": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), **texts}


def _command(
    out: int,
    err: int,
    arguments: list[str],
    cwd: str,
    stdin: str,
    room: int | None,
    rights: bool,
    terminate: float | None,
) -> int:
    from opslog.cli import main

    # What hangs is ended, too.
    number, seconds = (
        (signal.SIGKILL, _SECONDS) if terminate is None else (signal.SIGTERM, terminate)
    )
    timer = threading.Timer(seconds, os.kill, (os.getpid(), number))
    timer.daemon = True
    timer.start()
    os.chdir(cwd)
    for fd, number in ((os.open(stdin, os.O_RDONLY), 0), (out, 1), (err, 2)):
        os.dup2(fd, number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    if room is not None:
        os.environ["OPSLOG_TEST_ROOM"] = str(room)
    if not rights:
        _give_up_rights()
    try:
        return main(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _give_up_rights() -> None:
    """Have no right to files but those that their modes give, root neither."""
    libc = ctypes.CDLL(None, use_errno=True)
    version_3 = (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    override = 1 << 1
    if libc.capget(version_3, rights) or not rights[0] & override:
        return
    rights[0] &= ~override
    rights[1] &= ~override
    if libc.capset(version_3, rights):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    _serve()
