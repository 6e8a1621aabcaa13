"""Runs of the provisioner that fail in the middle, whatever call it is that fails.

One of each kind is among the tests: tests/integration/test_provisioner.py.
"""

from __future__ import annotations

import pytest

from integration import test_provisioner as shared

clients, stack = shared.clients, shared.stack


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("kinesis", "CreateStream"),
        ("kinesis", "AddTagsToStream"),
        ("kinesis", "StartStreamEncryption"),
        ("dynamodb", "CreateTable"),
        ("sqs", "CreateQueue"),
        ("logs", "CreateLogGroup"),
        ("logs", "PutRetentionPolicy"),
        ("iam", "CreateRole"),
        ("iam", "PutRolePolicy"),
        ("sns", "CreateTopic"),
        ("sns", "Subscribe"),
        ("lambda_", "CreateEventSourceMapping"),
        ("pipes", "CreatePipe"),
    ],
)
def test_a_run_that_failed_in_the_middle_is_completed_by_the_next(
    stack: shared.Stack, service: str, operation: str
) -> None:
    shared.assert_completed_by_the_next(stack, service, operation)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("lambda_", "DeleteEventSourceMapping"),
        ("pipes", "DeletePipe"),
        ("kinesis", "DeleteStream"),
        ("dynamodb", "DeleteTable"),
        ("iam", "DeleteRole"),
    ],
)
def test_a_removal_that_failed_in_the_middle_is_completed_by_the_next(
    stack: shared.Stack, service: str, operation: str
) -> None:
    stack.provision()
    shared.assert_removal_completed_by_the_next(stack, service, operation)
