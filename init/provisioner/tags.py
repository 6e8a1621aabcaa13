"""AWS writes tags in two forms: a map, or a list of keys and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from provisioner.resources import TAGS

if TYPE_CHECKING:
    # The same two members in each service that has this form.
    from mypy_boto3_dynamodb.type_defs import TagTypeDef


def as_list(tags: Mapping[str, str]) -> list[TagTypeDef]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def known(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Those with a key of ours: people and organisations may add others, which is no drift."""
    return {key: value for key, value in tags.items() if key in TAGS}


def known_of_list(tags: Iterable[Any]) -> Mapping[str, str]:
    return known({tag["Key"]: tag["Value"] for tag in tags})
