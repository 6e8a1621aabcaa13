"""CloudWatch dashboards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from provisioner.decision import Observed
from provisioner.kinds.rounds import AllAtOnce
from provisioner.monitors import Dashboard

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# The model has the one, the service answers the other.
_NOT_FOUND = ("DashboardNotFoundError", "ResourceNotFound")


class Dashboards(AllAtOnce[Dashboard]):
    def __init__(self, cloudwatch: CloudWatchClient) -> None:
        self._cloudwatch = cloudwatch

    def look(self, desired: Dashboard) -> Observed[Dashboard]:
        try:
            answer = self._cloudwatch.get_dashboard(DashboardName=desired.name)
        except ClientError as error:
            if not _tells_of_none(error):
                raise
            return None
        tags, body = Dashboard.read(json.loads(answer["DashboardBody"]))
        return Dashboard(name=desired.name, arn=desired.arn, tags=tags, body=body)

    def create(self, desired: Dashboard) -> None:
        self._cloudwatch.put_dashboard(
            DashboardName=desired.name, DashboardBody=json.dumps(desired.noted(), sort_keys=True)
        )

    def update(self, desired: Dashboard, actual: Dashboard) -> None:
        self.create(desired)

    def delete(self, desired: Dashboard) -> None:
        self._cloudwatch.delete_dashboards(DashboardNames=[desired.name])


def _tells_of_none(error: ClientError) -> bool:
    """LocalStack calls a dashboard that is not there a bad name."""
    answer = error.response["Error"]
    return answer["Code"] in _NOT_FOUND or (
        answer["Code"] == "InvalidParameterValue" and "does not exist" in answer["Message"]
    )
