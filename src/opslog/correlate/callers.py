"""Which services call which, by their configuration: [neutron], [glance], ... sections.

It tells who of several may have made a call that hands on a request's id.  A service that
is not here may call any other (heat, horizon, mistral, ...).
"""

from __future__ import annotations

from collections.abc import Iterable

_CALLED: dict[str, frozenset[str]] = {
    caller: frozenset(called.split())
    for caller, called in {
        "keystone": "",
        "placement": "keystone",
        "glance": "barbican cinder keystone swift",
        "swift": "barbican keystone",
        "neutron": "",  # it calls nova, placement and designate as itself, for no request
        "nova": "barbican cinder cyborg glance ironic keystone neutron placement",
        "cinder": "barbican glance keystone nova swift",
        "ironic": "cinder glance keystone neutron nova swift",
        "octavia": "barbican cinder glance keystone neutron nova",
        "manila": "barbican cinder glance keystone neutron nova",
        "designate": "keystone neutron",
        "masakari": "keystone nova",
    }.items()
}


def may_call(caller: str, called: str) -> bool:
    """Return whether a service calls another one; its own API it calls under the same id."""
    return caller != called and called in _CALLED.get(caller, (called,))


def calls_others(service: str) -> bool:
    """Return whether a service calls any other but to check tokens."""
    return _CALLED.get(service, frozenset([service])) - {"keystone"} != frozenset()


def is_called(service: str | None, others: Iterable[str | None]) -> bool:
    """Return whether one of the services calls this one, and is not called by it."""
    return service is not None and any(
        may_call(one, service) and not may_call(service, one) for one in others if one is not None
    )
