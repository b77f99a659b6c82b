"""What an agent or OVN would do for neutron: bind every port, and set it ACTIVE a little later."""

import threading
import time

from neutron_lib import constants, context
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api
from oslo_log import log

_WIRING = 3.0
"""Seconds until a bound port is up."""

LOG = log.getLogger("neutron.plugins.ml2.drivers.opslab")


class LabMechanismDriver(api.MechanismDriver):
    """Binds to the first segment."""

    connectivity = portbindings.CONNECTIVITY_L2

    def initialize(self):
        """Nothing is needed."""

    def bind_port(self, port):
        details = {portbindings.CAP_PORT_FILTER: True}
        port.set_binding(port.segments_to_bind[0][api.ID], portbindings.VIF_TYPE_OVS, details)

    def update_port_postcommit(self, port):
        bound = port.vif_type == portbindings.VIF_TYPE_OVS
        if bound and port.host and port.status == constants.PORT_STATUS_DOWN:
            threading.Thread(
                target=_wire, args=(port.current["id"], port.host), daemon=True
            ).start()


def _wire(port_id, host):
    time.sleep(_WIRING)
    LOG.info("Port %s is wired on host %s", port_id, host)
    try:
        directory.get_plugin().update_port_status(
            context.get_admin_context(), port_id, constants.PORT_STATUS_ACTIVE, host
        )
    except Exception:
        LOG.exception("Port %s could not be set up", port_id)
