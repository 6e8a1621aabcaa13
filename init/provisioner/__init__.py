"""What exists on AWS for the pipeline: one description of it, one provisioner that makes it so."""

from provisioner.account import Account
from provisioner.calls import Call
from provisioner.changes import Action, Change, render_plan
from provisioner.clients import Clients
from provisioner.engine import destroy, dry_run, plan, provision, whose
from provisioner.errors import Failure, NotBegunError, ProvisioningError, SettingsError
from provisioner.finding import tagged
from provisioner.names import Names
from provisioner.options import Options, settings

__all__ = [
    "Account",
    "Action",
    "Call",
    "Change",
    "Clients",
    "Failure",
    "Names",
    "NotBegunError",
    "Options",
    "ProvisioningError",
    "SettingsError",
    "destroy",
    "dry_run",
    "plan",
    "provision",
    "render_plan",
    "settings",
    "tagged",
    "whose",
]
