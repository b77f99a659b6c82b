"""A page in Chromium: keys are pressed and values read over its debugging pipe."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

_KEYS = {"Enter": "\r", "ArrowDown": "", "ArrowRight": "", "ArrowLeft": "", "Escape": ""}


class Tab:
    """An open page."""

    def __init__(self, write: BinaryIO, read: BinaryIO) -> None:
        self._write, self._read, self._number = write, read, 0
        self._session: str | None = None
        self.errors: list[str] = []
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        asked = {"targetId": target, "flatten": True}
        self._session = self._send("Target.attachToTarget", **asked)["sessionId"]
        self._send("Runtime.enable")
        self._send("Page.enable")

    def open(self, path: Path, width: int = 1200, height: int = 800) -> None:
        """Show a page, in a window of a size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._send("Emulation.setDeviceMetricsOverride", **size)
        self._send("Page.navigate", url=path.as_uri())
        while self.value("document.readyState") != "complete":
            pass

    def show_as(self, media: str, scheme: str = "light") -> None:
        """Show pages as on a medium, ``screen`` or ``print``, to who prefers light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._send("Emulation.setEmulatedMedia", media=media, features=features)

    def value(self, script: str) -> Any:
        """Return the value of an expression."""
        told = self._send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            text = {"text": typed} if (typed := _KEYS.get(key, key)) else {}
            self._send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self._send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while True:
            answer = json.loads(self._message())
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(answer["params"]))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def _message(self) -> bytes:
        found = b""
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "the browser has ended"
            found += byte
        return found


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """Start a browser; its files lie in the folder ``profile``."""
    assert CHROMIUM
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
    # The browser reads from its descriptor 3 and writes to 4: ours must not have these numbers.
    theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (to_read, from_write)]
    command = f'exec "$0" "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
    browser = subprocess.Popen(
        ["bash", "-c", command, CHROMIUM, *options, f"--user-data-dir={profile}"],
        pass_fds=theirs,
        stderr=subprocess.DEVNULL,
    )
    for fd in (to_read, from_write, *theirs):
        os.close(fd)
    try:
        with open(to_write, "wb") as write, open(from_read, "rb") as read:
            yield Tab(write, read)
    finally:
        browser.terminate()
        browser.wait()
