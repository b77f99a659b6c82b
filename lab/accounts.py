"""Tells keystone of the services, their users and endpoints, and of the user of the lab.

Runs in the lab's own environment.
"""

from __future__ import annotations

from typing import Any

import requests
from places import PASSWORD, url

_SERVICES = {
    "glance": "image",
    "placement": "placement",
    "nova": "compute",
    "neutron": "network",
    "cinder": "block-storage",
}
_ROLES = {"service": ("admin", "service"), "demo": ("member", "reader")}


class Keystone:
    """Its API, as the first administrator."""

    def __init__(self) -> None:
        self._session = requests.Session()
        user = {"name": "admin", "domain": {"id": "default"}, "password": PASSWORD}
        project = {"name": "admin", "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        auth: dict[str, Any] = {"auth": {"identity": identity, "scope": {"project": project}}}
        answer = self._session.post(f"{url('keystone')}/auth/tokens", json=auth)
        answer.raise_for_status()
        self._session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]

    def made(self, kind: str, **facts: Any) -> str:
        """Return the id of what was made, or is there already."""
        collection = f"{url('keystone')}/{kind}s"
        answer = self._session.post(collection, json={kind: facts})
        if answer.status_code == 409:
            found = self._session.get(collection, params={"name": str(facts["name"])})
            return str(found.json()[f"{kind}s"][0]["id"])
        answer.raise_for_status()
        return str(answer.json()[kind]["id"])

    def grant(self, project: str, user: str, role: str) -> None:
        path = f"{url('keystone')}/projects/{project}/users/{user}/roles/{role}"
        self._session.put(path).raise_for_status()


def main() -> None:
    keystone = Keystone()
    projects = {name: keystone.made("project", name=name, domain_id="default") for name in _ROLES}
    roles = {role: keystone.made("role", name=role) for names in _ROLES.values() for role in names}
    for user in (*_SERVICES, "demo"):
        project = "demo" if user == "demo" else "service"
        made = keystone.made("user", name=user, domain_id="default", password=PASSWORD)
        for role in _ROLES[project]:
            keystone.grant(projects[project], made, roles[role])
    for name, kind in _SERVICES.items():
        service = keystone.made("service", name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            facts = {"interface": interface, "url": url(name), "region_id": "RegionOne"}
            keystone.made("endpoint", service_id=service, **facts)


if __name__ == "__main__":
    main()
