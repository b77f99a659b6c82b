"""What a page shows of text is what a terminal shows, but for line breaks and tabs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import unicodedata

import pytest

from helpers import ROOT
from opslog.terminal.escape import escaped

SCRIPT = (ROOT / "src" / "opslog" / "trace" / "browser" / "text.js").read_text()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_page_writes_out_what_a_terminal_does() -> None:
    script = "\n".join(re.findall(r"^const (?:UNSAFE|written|escaped) = .*$", SCRIPT, re.MULTILINE))
    characters = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        # Cn: the two may know different versions of Unicode; Cc: a page shows line breaks.
        if unicodedata.category(char) not in ("Cn", "Cs", "Cc")
    ]
    program = (
        f"{script}\nconst all = JSON.parse(require('fs').readFileSync(0, 'utf-8'));"
        "process.stdout.write(JSON.stringify(all.map(escaped)));"
    )
    result = subprocess.run(
        ["node", "-e", program], input=json.dumps(characters), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert json.loads(result.stdout) == [escaped(char) for char in characters]
