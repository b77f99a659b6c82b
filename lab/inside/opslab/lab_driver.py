"""nova's fake driver with what of a real one speaks to other services, and with its faults.

The image is fetched from glance, ports are waited for, a snapshot is uploaded; servers whose names
begin as `faults.py` says fail.
"""

import os
import random
import tempfile
import time

import nova.conf
from nova import exception
from nova.virt import fake, images
from oslo_log import log

from opslab import faults

CONF = nova.conf.CONF
LOG = log.getLogger("nova.virt.opslab")

_PORTS_WITHIN = 15
"""Seconds that a spawn waits for its ports."""


class LabDriver(fake.FakeDriverWithoutFakeNodes):
    """A host with room for what the lab boots."""

    vcpus = 32
    memory_mb = 65536
    local_gb = 1000

    def spawn(self, context, instance, *arguments, network_info=None, **more):
        if instance.image_ref:
            _fetch(context, instance.image_ref)
        _fail(instance)
        waited = [
            ("network-vif-plugged", port["id"])
            for port in network_info or ()
            if port.get("active") is False
        ]
        time.sleep(random.uniform(0.3, 1.2))
        try:
            with self.virtapi.wait_for_instance_event(instance, waited, timeout=_PORTS_WITHIN):
                super().spawn(context, instance, *arguments, network_info=network_info, **more)
        except exception.InstanceEventTimeout:  # as after a rebuild, where the port is up already
            LOG.warning("Timeout waiting for %s", waited, instance=instance)
        LOG.info("Instance spawned successfully.", instance=instance)

    def snapshot(self, context, instance, image_id, update_task_state):
        super().snapshot(context, instance, image_id, update_task_state)
        metadata = {"disk_format": "raw", "container_format": "bare", "status": "active"}
        with tempfile.TemporaryFile() as disk:
            disk.write(bytes(100_000))
            disk.seek(0)
            images.IMAGE_API.update(context, image_id, metadata, disk)
        LOG.info("Snapshot image upload complete", instance=instance)

    def attach_volume(self, context, connection_info, instance, *arguments, **more):
        if instance.display_name.startswith(faults.STIFF):
            raise exception.NovaException(faults.ATTACH)
        super().attach_volume(context, connection_info, instance, *arguments, **more)

    def finish_migration(self, context, migration, instance, *arguments, **more):
        if instance.display_name.startswith(faults.STUCK):
            raise exception.NovaException(faults.MIGRATION)
        super().finish_migration(context, migration, instance, *arguments, **more)


def _fetch(context, image):
    with tempfile.TemporaryDirectory(dir=CONF.state_path) as folder:
        images.IMAGE_API.download(context, image, dest_path=os.path.join(folder, image))


def _fail(instance):
    name = instance.display_name
    if name.startswith(faults.ALWAYS):
        raise exception.NovaException(faults.BOOT)
    if name.startswith(faults.ABORT):
        raise exception.BuildAbortException(instance_uuid=instance.uuid, reason=faults.ABORTED_BOOT)
    if name.startswith(faults.ONCE):
        tried = os.path.join(tempfile.gettempdir(), f"opslab-{instance.uuid}")
        if not os.path.exists(tried):
            with open(tried, "w"):
                pass
            raise exception.NovaException(faults.FIRST_BOOT)
        os.unlink(tried)
