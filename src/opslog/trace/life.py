"""One life: operations and states of a resource, from its changes in the order of time."""

from __future__ import annotations

from typing import Any, TypeAlias

Told: TypeAlias = tuple[int, str | None, str, str, str]
"""Time in microseconds, request, and operation, moment and state of a change."""

USABLE = ("active", "available", "bound", "in-use", "create_complete")

_ECHO = 30_000_000
"""Microseconds: libvirt waits 15 seconds before it says that a domain stopped."""

_LEAVES_ECHOES = frozenset((
    "migrate", "confirm_resize", "revert_resize", "live_migration", "reboot", "rebuild", "evacuate",
    "rescue", "unrescue", "shelve", "shelve_offload", "start",
))  # fmt: skip
"""Operations in which a domain stops, or stops elsewhere, without the instance being stopped."""


class Life:
    """Takes changes one by one; ``changes.Moment`` says what each does.

    Nothing is taken after a deletion.
    """

    def __init__(self, kind: str | None) -> None:
        self._one_at_a_time = kind in ("instance", "volume")
        self._wired = kind == "port"
        self.open: dict[str, int] = {}
        """Operations that go on, with the time they began."""
        self._before: dict[str, str | None] = {}
        """The state in which each operation began."""
        self._requests: dict[str | None, set[str]] = {}
        """Operations by the request that began or ended them."""
        self.states: list[dict[str, Any]] = []
        self._claimed: str | None = None
        self._created: int | None = None
        self._usable: int | None = None
        self._ended: int | None = None
        """When an operation of _LEAVES_ECHOES ended last."""
        self._undo: tuple[str | None, str] | None = None
        """The request that changed the state last by an end, and the state before."""
        self._gone = False

    @property
    def state(self) -> str | None:
        return self.states[-1]["state"] if self.states else None

    @property
    def active_after(self) -> float | None:
        """Seconds from the beginning of its creation until it could be used."""
        if self._created is None or self._usable is None:
            return None
        return (self._usable - self._created) / 1e6

    @property
    def unfinished(self) -> list[str]:
        return sorted(self.open, key=self.open.__getitem__)

    def take(self, change: Told) -> None:
        time, request, operation, moment, state = change
        if self._gone or not self._counts(time, request, operation, moment, state):
            return
        if moment == "asked":
            held = self.state not in ("error", "shelved_offloaded") or bool(self.open)
            held = held or (self.state == "error" and self._usable is not None)
            moment, state = ("begins", state) if held else ("ends", "deleted")
        if moment == "reverts":
            state = self._revert(request)
        elif moment in ("begins", "begins?", "claims"):
            self._begin(time, request, operation, moment)
        elif moment not in ("is", "during"):
            self._end(time, request, operation, moment)
        if moment in ("ends", "ends?", "ended", "idle") and operation == "delete":
            self._gone = state != ""
        if state.startswith("("):
            state = self._before.get(operation, self.state) or state.strip("()")
        before = self.state or ""
        self._set(time, state)
        if moment in ("ended", "failed", "seen") and self.state != before:
            self._undo = (request, before)
        self._gone = self._gone or (state == "deleted" and operation in ("", "exists"))

    def _counts(
        self, time: int, request: str | None, operation: str, moment: str, state: str
    ) -> bool:
        """Return whether a change counts, given what was before."""
        others = any(name != operation for name in self.open)
        if moment in ("ended", "failed", "during"):
            return operation in self.open or (operation == "*" and bool(self.open))
        if moment == "idle":
            # Nova confirms a resize without a task_state.
            confirming = state == "resized" and "confirm_resize" in self.open
            # Neutron tells that a port is wired while it deletes it.
            deleting = self._wired and "delete" in self.open
            return state != "building" and not confirming and not deleting
        if moment == "claims":
            return self._usable is None and not others
        if moment == "fails" and operation == "create":
            return operation in self.open or not (others or self._usable is not None)
        if moment in ("begins?", "ends?") and operation not in self.open:
            theirs = self._requests.get(request, set()) if request is not None else self.open.keys()
            failed = self.state == "error" and (moment == "ends?" or request is None)
            cleaning = bool(theirs - {operation}) or (failed and self._usable is None)
            return not cleaning and (moment == "begins?" or not others)
        if moment == "seen" and operation not in self.open:
            late = self._ended is not None and time - self._ended < _ECHO
            return not others and not late and self.state not in ("error", "deleting")
        return True

    def _begin(self, time: int, request: str | None, operation: str, moment: str) -> None:
        if self._claimed is not None and operation != "create" and request == self._claimed:
            self._withdraw_claim()
        if self._one_at_a_time and operation not in ("delete", "create"):
            mine = self._requests.get(request, set()) if request is not None else self.open.keys()
            self.open = {name: at for name, at in self.open.items() if name in mine}
        if operation not in self.open:
            self.open[operation], self._before[operation] = time, self.state
        self._belongs(request, operation)
        if operation == "create":
            self._created = time if self._created is None else self._created
            self._claimed = request if moment == "claims" else None

    def _withdraw_claim(self) -> None:
        """Forget a creation that was only the claim of another operation."""
        self.open.pop("create", None)
        self._requests.get(self._claimed, set()).discard("create")
        if self.state == "building":
            self.states.pop()
        self._claimed = self._created = None

    def _end(self, time: int, request: str | None, operation: str, moment: str) -> None:
        ended = [*self.open] if operation == "*" else [operation]
        for name in ended:
            if moment != "part":
                self.open.pop(name, None)
            if name and moment != "seen":
                self._belongs(request, name)
        if not _LEAVES_ECHOES.isdisjoint(ended):
            self._ended = time
        if operation == "delete" and moment in ("ends", "ends?", "ended"):
            self.open.clear()

    def _revert(self, request: str | None) -> str:
        """Let the operations of a request end without success; return the state before them."""
        theirs = self._requests.get(request, set())
        for name in [name for name in self.open if request is None or name in theirs]:
            del self.open[name]
        if self._undo is not None and self._undo[0] == request:
            return self._undo[1]
        return ""

    def _belongs(self, request: str | None, operation: str) -> None:
        self._requests.setdefault(request, set()).add(operation)

    def _set(self, time: int, state: str) -> None:
        if state and state != self.state:
            self.states.append({"time": time, "state": state})
        if self._created is not None and self._usable is None and state in USABLE:
            self._usable = time
