"""What the user does with the cloud: what goes well, what is refused, and what fails later.

Runs in the lab's own environment, and is recorded like a service.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection
from typing import Any

from client import Body, Client, content, id_of
from opslab import faults

_BUILT = ("ACTIVE", "ERROR")
_SERVER = 120.0
"""Seconds in which a server must be done with anything."""


class User:
    """Everything that is done, in order."""

    def __init__(self) -> None:
        self._client = Client()
        self._ask = self._client.ask
        self._mark = uuid.uuid4().hex[:4]
        self._image = ""
        self._network = ""
        self._flavors: dict[str, str] = {}

    def run(self) -> None:
        self.wait_for_hosts()
        self.make_what_servers_need()
        self.be_refused()
        first, twins, given, several = self.boot()
        failed = self.boot_in_vain()
        self.use_volumes(first)
        self.use_ports(first)
        self.take_snapshots(first)
        self.operate(first)
        self.move(given, twins, several)
        self.delete([given, *failed], twins)
        self.look_around()

    def wait_for_hosts(self) -> None:
        """Wait until both hosts may be chosen and volumes can be made."""
        for _ in range(90):
            services = content(self._ask("services", "GET nova", "/os-services", by="admin"))
            hosts = content(self._ask("hypervisors", "GET nova", "/os-hypervisors", by="admin"))
            up = [
                service["binary"]
                for service in services.get("services", [])
                if service["state"] == "up"
            ]
            if up.count("nova-compute") == 2 and len(hosts.get("hypervisors", [])) == 2:
                return
            time.sleep(2)
        raise SystemExit("expected two hosts with nova-compute within 3 minutes, found fewer")

    def make_what_servers_need(self) -> None:
        image = {"disk_format": "raw", "container_format": "bare", "visibility": "public"}
        image["name"] = f"tiny-{self._mark}"
        made = self._ask("image create", "POST glance", "/images", 201, by="admin", json=image)
        self._image = made.json()["id"]
        self._ask(
            "image upload", "PUT glance", f"/images/{self._image}/file", 204, by="admin",
            data=bytes(200_000), headers={"Content-Type": "application/octet-stream"},
        )  # fmt: skip
        state = self._client.poll("GET glance", f"/images/{self._image}", "image", ("active",), 30)
        self._client.outcome("image upload", state["status"], image=self._image)
        for name, size in {
            "small": (1, 512, 1),
            "medium": (2, 1024, 1),
            "vast": (1, 512, 50_000),
        }.items():
            flavor: Body = dict(zip(("vcpus", "ram", "disk"), size, strict=True))
            flavor["name"] = f"{name}-{self._mark}"
            body = {"flavor": flavor}
            answer = self._ask(
                f"flavor {name}", "POST nova", "/flavors", 200, by="admin", json=body
            )
            self._flavors[name] = answer.json()["flavor"]["id"]
            if name == "small":
                self._ask("flavor again", "POST nova", "/flavors", 409, by="admin", json=body)
        network = {"network": {"name": f"net-{self._mark}"}}
        made = self._ask("network create", "POST neutron", "/networks", 201, json=network)
        self._network = made.json()["network"]["id"]
        subnet = {"network_id": self._network, "cidr": "10.20.0.0/24", "ip_version": 4}
        self._ask("subnet create", "POST neutron", "/subnets", 201, json={"subnet": subnet})
        self._ask("subnet overlap", "POST neutron", "/subnets", 400, json={"subnet": subnet})

    def be_refused(self) -> None:
        """Ask for what is not there, not allowed, or too much."""
        self._client.log_in("demo", "wrong", 401)
        for kind, call in {"servers": "nova", "images": "glance", "networks": "neutron",
                           "ports": "neutron", "volumes": "cinder"}.items():  # fmt: skip
            self._ask(f"unknown of {kind}", f"GET {call}", f"/{kind}/{uuid.uuid4()}", 404)
        self._ask("bad token", "GET nova", "/servers", 401, by="gAAAAABno-token")
        self._ask("bad token", "GET cinder", "/volumes", 401, by="gAAAAABno-token")
        flavor = {"flavor": {"name": "mine", "vcpus": 1, "ram": 512, "disk": 1}}
        self._ask("forbidden", "POST nova", "/flavors", 403, json=flavor)
        self._ask("forbidden network", "POST neutron", "/networks", 403,
                  json={"network": {"name": "shared", "shared": True}})  # fmt: skip
        many = self._server("many", min_count=50, max_count=50)
        self._ask("boot over quota", "POST nova", "/servers", 403, json=many)
        volume = {"volume": {"size": 5000, "name": "vast"}}
        self._ask("volume over quota", "POST cinder", "/volumes", 413, json=volume)
        self._ask("no such flavor", "POST nova", "/servers", 400,
                  json=self._server("none", flavorRef=str(uuid.uuid4())))  # fmt: skip
        projects = self._ask("projects", "GET keystone", "/projects", 200, by="admin").json()
        demo = next(one["id"] for one in projects["projects"] if one["name"] == "demo")
        quota = {"quota_set": {"instances": 40, "cores": 60}}
        self._ask("quota", "PUT nova", f"/os-quota-sets/{demo}", 200, by="admin", json=quota)

    def boot(self) -> tuple[str, list[str], str, str]:
        """Boot one server, two at once, one with an id sent along, two by one request."""
        first = self._boot("vm1")
        self._settle("boot vm1", first)
        twins: list[str] = []
        threads = [
            threading.Thread(target=lambda name=name: twins.append(self._boot(name)))
            for name in ("twin-a", "twin-b")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for twin in twins:
            self._settle("boot twin", twin)
        given = self._boot("vm-given", give=True)
        self._settle("boot vm-given", given)
        several = self._boot("several", min_count=2, max_count=2)
        self._settle("boot several", several)
        return first, twins, given, several

    def boot_in_vain(self) -> list[str]:
        """Boot what fits nowhere, what always fails, what fails once, and what is aborted."""
        vast = self._boot("too-big", flavorRef=self._flavors["vast"])
        self._settle("boot too-big", vast, reason="No valid host was found")
        found = [vast]
        for start in (faults.ALWAYS, faults.ONCE, faults.ABORT):
            server = self._boot(f"{start}vm")
            self._settle(f"boot {start}vm", server)
            found.append(server)
        return found

    def use_volumes(self, server: str) -> None:
        """Create, attach, snapshot, detach, delete; attach where the hypervisor refuses."""
        volume = self._volume("vol1")
        attach = {"volumeAttachment": {"volumeId": volume}}
        attachments = f"/servers/{server}/os-volume_attachments"
        self._ask("volume attach", "POST nova", attachments, 200, json=attach)
        self._await_volume("volume attach", volume, ("in-use",), server=server)
        self._ask("volume delete in use", "DELETE cinder", f"/volumes/{volume}", 400)
        self._ask("volume attach again", "POST nova", attachments, 400, json=attach)
        self._ask("volume detach", "DELETE nova", f"{attachments}/{volume}", 202)
        self._await_volume("volume detach", volume, ("available",), server=server)
        snapshot = {"snapshot": {"volume_id": volume, "name": "snap1"}}
        made = self._ask("snapshot create", "POST cinder", "/snapshots", 202, json=snapshot).json()
        one = made["snapshot"]["id"]
        path = f"/snapshots/{one}"
        state = self._client.poll("GET cinder", path, "snapshot", ("available", "error"), 60)
        self._client.outcome("snapshot create", state.get("status", "?"), snapshot=one)
        self._ask("volume delete with snapshot", "DELETE cinder", f"/volumes/{volume}", 400)
        self._ask("snapshot delete", "DELETE cinder", path, 202)
        gone = self._client.poll("GET cinder", path, "snapshot", (), 30)
        self._client.outcome("snapshot delete", gone.get("status", "deleted"), snapshot=one)
        stiff = self._boot(f"{faults.STIFF}vm")
        self._settle("boot stiff-vm", stiff)
        refused = f"/servers/{stiff}/os-volume_attachments"
        answer = self._ask("volume attach in vain", "POST nova", refused, (200, 500), json=attach)
        time.sleep(5)
        self._await_volume(
            "volume attach in vain", volume, ("available",),
            server=stiff, req=id_of(answer), reason=faults.ATTACH,
        )  # fmt: skip
        self._ask("volume delete", "DELETE cinder", f"/volumes/{volume}", 202)
        gone = self._client.poll("GET cinder", f"/volumes/{volume}", "volume", (), 30)
        self._client.outcome("volume delete", gone.get("status", "deleted"), volume=volume)
        self._delete(stiff, "stiff-vm")

    def use_ports(self, server: str) -> None:
        """Create a port, attach and detach it; attach one that nova makes."""
        port = {"port": {"network_id": self._network, "name": "port1"}}
        made = self._ask("port create", "POST neutron", "/ports", 201, json=port).json()
        one = made["port"]["id"]
        interfaces = f"/servers/{server}/os-interface"
        attach = {"interfaceAttachment": {"port_id": one}}
        self._ask("port attach", "POST nova", interfaces, 200, json=attach)
        state = self._client.poll("GET neutron", f"/ports/{one}", "port", ("ACTIVE",), 30)
        self._client.outcome("port attach", state.get("status", "?"), port=one, server=server)
        self._ask("port detach", "DELETE nova", f"{interfaces}/{one}", 202)
        time.sleep(5)
        self._ask("port delete", "DELETE neutron", f"/ports/{one}", 204)
        network = {"interfaceAttachment": {"net_id": self._network}}
        made = self._ask("interface attach", "POST nova", interfaces, 200, json=network).json()
        time.sleep(5)
        made_port = made["interfaceAttachment"]["port_id"]
        self._ask("interface detach", "DELETE nova", f"{interfaces}/{made_port}", 202)
        time.sleep(5)

    def take_snapshots(self, server: str) -> None:
        """Make an image of a server."""
        answer = self._act("image of server", server, {"createImage": {"name": "backup"}})
        image = content(answer).get("image_id", "")
        path = f"/images/{image}"
        state = self._client.poll("GET glance", path, "image", ("active", "killed"), 60)
        self._client.outcome("image of server", state.get("status", "?"), image=image)
        self._settle("image of server", server)
        self._ask("image delete", "DELETE glance", path, 204)
        gone = self._client.poll("GET glance", path, "image", (), 5)
        self._client.outcome("image delete", gone.get("status", "deleted"), image=image)

    def operate(self, server: str) -> None:
        """Stop, start, reboot, resize; what the state does not allow is refused."""
        self._act("stop", server, {"os-stop": None})
        self._settle("stop", server, ("SHUTOFF",))
        self._act("stop again", server, {"os-stop": None}, 409)
        self._act("start", server, {"os-start": None})
        self._settle("start", server)
        self._act("reboot", server, {"reboot": {"type": "SOFT"}})
        self._settle("reboot", server)
        self._act("resize", server, {"resize": {"flavorRef": self._flavors["medium"]}})
        self._settle("resize", server, ("VERIFY_RESIZE", "ERROR"))
        self._act("confirm resize", server, {"confirmResize": None}, 204)
        self._settle("confirm resize", server)
        self._act("lock", server, {"lock": None})
        self._ask("delete locked", "DELETE nova", f"/servers/{server}", 409)
        self._act("unlock", server, {"unlock": None})
        stuck = self._boot(f"{faults.STUCK}vm")
        self._settle("boot stuck-vm", stuck)
        answer = self._act(
            "resize in vain", stuck, {"resize": {"flavorRef": self._flavors["medium"]}}
        )
        self._settle(
            "resize in vain", stuck, ("VERIFY_RESIZE", "ERROR"),
            req=id_of(answer), reason=faults.MIGRATION,
        )  # fmt: skip

    def move(self, given: str, twins: list[str], several: str) -> None:
        """Migrate, live and not; shelve, rebuild."""
        self._act("migrate", given, {"migrate": None}, by="admin")
        self._settle("migrate", given, ("VERIFY_RESIZE", "ERROR"))
        self._act("revert", given, {"revertResize": None}, by="admin")
        self._settle("revert", given)
        live = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
        self._act("live migrate", twins[0], live, by="admin")
        time.sleep(2)
        self._settle("live migrate", twins[0])
        self._act("shelve", several, {"shelve": None})
        self._settle("shelve", several, ("SHELVED_OFFLOADED",))
        self._act("unshelve", several, {"unshelve": None})
        self._settle("unshelve", several)
        self._act("rebuild", twins[1], {"rebuild": {"imageRef": self._image}})
        time.sleep(2)
        self._settle("rebuild", twins[1])

    def delete(self, servers: list[str], twins: list[str]) -> None:
        """Delete one after the other, then two at once."""
        for server in servers:
            self._delete(server, "server")
        threads = [threading.Thread(target=self._delete, args=(twin, "twin")) for twin in twins]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._ask("delete again", "DELETE nova", f"/servers/{servers[0]}", 404)
        self._ask("network delete in use", "DELETE neutron", f"/networks/{self._network}", 409)

    def look_around(self) -> None:
        for op, call, path, by in (
            ("list servers", "GET nova", "/servers/detail", "demo"),
            ("list all servers", "GET nova", "/servers/detail?all_tenants=1", "admin"),
            ("list images", "GET glance", "/images", "demo"),
            ("list networks", "GET neutron", "/networks", "demo"),
            ("list volumes", "GET cinder", "/volumes/detail", "demo"),
            ("agents", "GET neutron", "/agents", "admin"),
        ):
            self._ask(op, call, path, 200, by=by)

    def _server(self, name: str, **more: object) -> Body:
        """Return the body of a boot."""
        server = {
            "name": name,
            "flavorRef": self._flavors["small"],
            "imageRef": self._image,
            "networks": [{"uuid": self._network}],
        }
        return {"server": server | more}

    def _boot(self, name: str, give: bool = False, **more: object) -> str:
        body = self._server(name, **more)
        answer = self._ask(f"boot {name}", "POST nova", "/servers", 202, give=give, json=body)
        server = str(answer.json()["server"]["id"])
        facts = {"name": name, "server": server, "req": id_of(answer), "time": time.time()}
        self._client.write("boot", **facts)
        return server

    def _settle(
        self, what: str, server: str, until: Collection[str] = _BUILT, **facts: object
    ) -> None:
        """Wait until a server is done, and write down how it is then."""
        found = self._client.poll("GET nova", f"/servers/{server}", "server", until, _SERVER)
        status = found.get("status", "DELETED")
        if status not in until:
            status = f"timeout {status}"
        if status != "ERROR":
            facts = {name: fact for name, fact in facts.items() if name != "reason"}
        host = found.get("OS-EXT-SRV-ATTR:host")
        fault = found.get("fault", {}).get("message")
        self._client.outcome(what, status, server=server, host=host, fault=fault, **facts)

    def _act(self, op: str, server: str, body: Body, expected: int = 202, by: str = "demo") -> Any:
        path = f"/servers/{server}/action"
        return self._ask(op, "POST nova", path, expected, by=by, json=body)

    def _delete(self, server: str, name: str) -> None:
        self._ask(f"delete {name}", "DELETE nova", f"/servers/{server}", 204)
        self._settle(f"delete {name}", server, ("DELETED",))

    def _volume(self, name: str) -> str:
        body = {"volume": {"size": 1, "name": name}}
        made = self._ask("volume create", "POST cinder", "/volumes", 202, json=body).json()
        volume = str(made["volume"]["id"])
        self._await_volume("volume create", volume, ("available", "error"))
        return volume

    def _await_volume(
        self, what: str, volume: str, until: Collection[str], **facts: object
    ) -> None:
        found = self._client.poll("GET cinder", f"/volumes/{volume}", "volume", until, 60)
        self._client.outcome(what, found.get("status", "?"), volume=volume, **facts)


if __name__ == "__main__":
    User().run()
