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
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
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
    """Runs of the command; with ``disk`` the disk of a run may be full."""

    def __init__(self, disk: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory()
        environment = dict(os.environ)
        compiler = shutil.which("cc") or shutil.which("gcc")
        self.can_fill_the_disk = disk and compiler is not None
        if disk and compiler is not None:
            source, library = (Path(self._folder.name) / name for name in ("full.c", "full.so"))
            source.write_text(_FULL_DISK)
            subprocess.run(
                [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True
            )
            environment["LD_PRELOAD"] = str(library)
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], stdin=subprocess.DEVNULL,
                env=environment, pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        self._codes = self._socket.makefile()

    def run(self, *arguments: str, **how: Any) -> Result:
        """Run the command as ``run_bytes`` does, and return what it said as text."""
        code, out, err = self.run_bytes(*arguments, **how)
        return Result(code, out.decode(), err.decode())

    def run_bytes(
        self,
        *arguments: str,
        cwd: Path,
        stdin: Path | bytes = Path(os.devnull),
        room: int | None = None,
        rights: bool = True,
        terminate: float | None = None,
    ) -> tuple[int, bytes, bytes]:
        """Run the command in ``cwd``; return its exit code, its output and its errors.

        Its standard input is a file, or a pipe with bytes.  A file may grow to ``room`` bytes.
        Without ``rights`` modes hold for root, too.  After ``terminate`` seconds it gets SIGTERM.
        """
        asked = {"arguments": arguments, "cwd": str(cwd), "room": room, "rights": rights,
                 "terminate": terminate, "variables": dict(os.environ)}  # fmt: skip
        threads: list[threading.Thread] = []
        said: dict[int, bytes] = {}
        if isinstance(stdin, bytes):
            given, into = os.pipe()
            threads.append(threading.Thread(target=_feed, args=(into, stdin)))
        else:
            given = os.open(stdin, os.O_RDONLY)
        pipes = [os.pipe(), os.pipe()]
        for number, (end, _) in enumerate(pipes):
            threads.append(threading.Thread(target=_drain, args=(end, said, number)))
        theirs = (given, *(end for _, end in pipes))
        request = json.dumps(asked).encode()
        socket.send_fds(self._socket, [len(request).to_bytes(4, "little")], theirs)
        self._socket.sendall(request)
        for end in theirs:
            os.close(end)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return int(self._codes.readline()), said[0], said[1]

    def close(self) -> None:
        self._codes.close()
        self._socket.close()
        self._process.wait()
        self._folder.cleanup()


def _feed(pipe: int, data: bytes) -> None:
    with suppress(BrokenPipeError), open(pipe, "wb", buffering=0) as file:
        while data:
            data = data[file.write(data) :]


def _drain(pipe: int, said: dict[int, bytes], number: int) -> None:
    with open(pipe, "rb") as file:
        said[number] = file.read()


def _serve(channel: socket.socket) -> None:
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    import opslog.cli
    import opslog.correlate.relations
    import opslog.trace  # noqa: F401
    from opslog.scanner.catalog import Catalog

    Catalog.default()
    while True:
        size, ends, _, _ = socket.recv_fds(channel, 4, 3)
        if not size:
            return
        request = bytearray()
        while len(request) < int.from_bytes(size, "little"):
            request += channel.recv(1 << 20)
        if (child := os.fork()) == 0:
            channel.close()
            os._exit(_command(ends, **json.loads(request)))
        for end in ends:
            os.close(end)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        channel.sendall(b"%d\n" % code)


def _command(
    ends: list[int],
    arguments: list[str],
    cwd: str,
    room: int | None,
    rights: bool,
    terminate: float | None,
    variables: dict[str, str],
) -> int:
    from opslog.__main__ import main

    # What hangs is ended, too.
    number, seconds = (
        (signal.SIGKILL, _SECONDS) if terminate is None else (signal.SIGTERM, terminate)
    )
    timer = threading.Timer(seconds, os.kill, (os.getpid(), number))
    timer.daemon = True
    timer.start()
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    os.chdir(cwd)
    for number, end in enumerate(ends):
        os.dup2(end, number)
        os.close(end)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.argv = ["opslog", *arguments]
    if room is not None:
        os.environ["OPSLOG_TEST_ROOM"] = str(room)
    if not rights:
        _give_up_rights()
    try:
        return main()
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
    _serve(socket.socket(fileno=int(sys.argv[1])))
