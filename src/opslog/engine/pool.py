"""The threads of a run: they begin with the first work that is worth handing over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")

SMALL_BYTES = 128 << 10
"""A block that is not larger is worked on at once: to hand it over takes about as long."""


class Done(Generic[T]):
    """A result that is there already, where that of a thread may be waited for."""

    def __init__(self, result: T) -> None:
        self._result = result

    def done(self) -> bool:
        return True

    def result(self) -> T:
        return self._result

    def cancel(self) -> bool:
        return False


class Pool:
    """At most ``count`` threads; none before something is submitted."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._executor: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a thread do it."""
        if self._executor is None:
            from concurrent.futures import ThreadPoolExecutor  # start-up: one line needs none

            self._executor = ThreadPoolExecutor(self._count, "opslog")
        return self._executor.submit(work, *args, **kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failed: object) -> None:
        if self._executor is not None:
            self._executor.shutdown()
