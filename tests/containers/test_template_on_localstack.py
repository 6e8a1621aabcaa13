"""The exported template on LocalStack, which has all of its types but the pipe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

import engine
from cloudformation_stack import LOST, deployed, unlike
from conftest import AwsClient
from stack import Backend


def client_of(variables: Mapping[str, str]) -> AwsClient:
    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    )

    @cache
    def client(service: str) -> Any:
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=variables["AWS_ENDPOINT_URL"],
        )

    return client


def test_what_cloudformation_makes_is_what_the_provisioner_would_make(backend: Backend) -> None:
    aws = client_of(backend.variables)
    emulator = "MiniStack" if "ministack" in engine.emulator_image() else "LocalStack"
    with deployed(aws, emulator) as names:
        assert unlike(aws, names, emulator) == LOST[emulator]
