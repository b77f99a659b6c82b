"""Stages: steps between the filter and the output that remember what came before.

A stage is a plain callable from batches to batches, with all columns of the
logs.  It gives what it can as soon as it has it, and how records came in
batches never shows in the result.  Where records have no time, they count as
late as the one before.
"""

from opslog.reading.pipeline import Stage
from opslog.stages.context import Context
from opslog.stages.dedup import Dedup
from opslog.stages.mask import Mask
from opslog.stages.rate_limit import RateLimit
from opslog.stages.sample import Sample
from opslog.stages.share import Share

__all__ = ["Context", "Dedup", "Mask", "RateLimit", "Sample", "Share", "Stage"]
