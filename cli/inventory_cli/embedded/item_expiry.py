"""Tables of MiniStack whose items expire, also where CloudFormation creates the table.

As it comes, MiniStack's CloudFormation ignores TimeToLiveSpecification.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners


def expire_items_as_the_template_says() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create = handlers["create"]

    def created(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = create(logical_id, properties, stack)
        if expiry := properties.get("TimeToLiveSpecification"):
            table, _ = made
            dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": expiry})
        return made

    handlers["create"] = created
