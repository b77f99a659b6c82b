"""Stages: steps between the filter and the output that remember what came before.

A stage is a plain callable from batches to batches, with all columns of the
logs.  It gives what it can as soon as it has it, and how records came in
batches never shows in the result.  Where records have no time, they count as
late as the one before.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opslog.reading.pipeline import Stage
    from opslog.stages.context import Context
    from opslog.stages.dedup import Dedup
    from opslog.stages.mask import Mask
    from opslog.stages.rate_limit import RateLimit
    from opslog.stages.sample import Sample
    from opslog.stages.share import Share

__all__ = ["Context", "Dedup", "Mask", "RateLimit", "Sample", "Share", "Stage"]

_HOMES = {
    "Context": "stages.context",
    "Dedup": "stages.dedup",
    "Mask": "stages.mask",
    "RateLimit": "stages.rate_limit",
    "Sample": "stages.sample",
    "Share": "stages.share",
    "Stage": "reading.pipeline",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: masks compile hundreds of patterns, which few runs need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'opslog.stages' has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(f"opslog.{_HOMES[name]}"), name)
    return value
