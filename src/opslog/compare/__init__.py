"""Why a run went wrong: it beside good ones, as requests and operations.

- side.py: what one side tells; templates.py, visits.py, operations.py, programs.py of it.
- significance.py: whether a difference may be chance.
- pooled.py: good runs together.
- messages.py, acts.py, steps.py, silence.py: what differs, as drafts (draft.py).
- folding.py: which difference led to which.
- compare.py: the findings (finding.py), the most likely cause first.
- text.py, page.py: them, for a terminal, for a browser.
"""

from opslog.compare.compare import compare
from opslog.compare.finding import Comparison, Finding

__all__ = ["Comparison", "Finding", "compare"]
