"""What people need: the policies of whoever deploys and of whoever operates, and a check of them.

Both follow from the description, as the policies of the roles do; the names of the actions and what
they can be granted on are those of AWS's Service Authorization Reference.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisioner.account import Account
from provisioner.description import description
from provisioner.names import Names
from provisioner.options import Options
from provisioner.permissions.deployer import deployer, halves
from provisioner.permissions.grants import Grant, PolicyTooLongError, written
from provisioner.permissions.operator import operator

__all__ = ["PolicyTooLongError", "policies", "written"]


def policies(
    names: Names, options: Options, account: Account, principal: str | None
) -> Mapping[str, Sequence[Grant]]:
    """Whoever deploys gets the first two, whoever operates the last.

    `principal` is the ARN of whoever deploys, where it is to ask beforehand what it may do.
    """
    resources = description(names, options, account, "")
    data, functions = halves(deployer(resources, account, names.stage, principal))
    return {
        "deployer-data": data,
        "deployer-functions": functions,
        "operator": operator(names, options, account),
    }
