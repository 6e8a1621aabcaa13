"""What exists on AWS for the pipeline: one description of it, one provisioner that makes it so."""

from provisioner.changes import Action, Change, render_plan
from provisioner.clients import Clients
from provisioner.engine import destroy, plan, provision
from provisioner.errors import Failure, ProvisioningError, SettingsError
from provisioner.names import Names
from provisioner.options import Options

__all__ = [
    "Action",
    "Change",
    "Clients",
    "Failure",
    "Names",
    "Options",
    "ProvisioningError",
    "SettingsError",
    "destroy",
    "plan",
    "provision",
    "render_plan",
]
