"""What the tests against the emulator share."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

import build_zip
import provisioner
from conftest import AwsClient
from inventory_cli.aws import Clients
from inventory_cli.embedded.stack import EmbeddedStack
from inventory_cli.function_log import FunctionLog
from stack import Backend, EmbeddedBackend, Stack, environment_of, own_names


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The servers of the end-to-end tests, as long as the test run."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), os.environ, time.sleep) as servers:
        yield EmbeddedBackend(servers)


@pytest.fixture
def stack(backend: Backend, function_zip: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A pipeline of its own, with names that nothing else has.

    The environment leads to it too, so that programs which a test starts find it.
    """
    names = own_names()
    for variable in [v for v in os.environ if v.startswith("AWS_") and "CA_BUNDLE" not in v]:
        monkeypatch.delenv(variable)
    for variable, value in {**backend.variables, **environment_of(names)}.items():
        monkeypatch.setenv(variable, value)
    session = boto3.Session()
    clients = Clients.from_session(session)
    resources = provisioner.Clients.from_session(session)
    options = provisioner.Options()
    log = FunctionLog(clients.logs, names.function, since=time.time())
    provisioner.provision(resources, names, options, function_zip.read_bytes(), lambda _: None)
    yield Stack(backend, session, clients, names, log)
    provisioner.destroy(resources, names, options, lambda _: None)


@pytest.fixture
def table(aws: AwsClient) -> str:
    """An empty table of its own, as the provisioner makes it."""
    name = f"inventory-{uuid.uuid4().hex[:12]}"
    aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "product_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "product_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    aws("dynamodb").get_waiter("table_exists").wait(TableName=name)
    return name


@pytest.fixture(scope="session")
def function_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function as it is deployed."""
    return build_zip.build(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.fixture
def rejections(aws: AwsClient) -> tuple[str, Callable[[], list[str]]]:
    """A topic, and a function that drains the queue subscribed to it."""
    name = f"inventory-{uuid.uuid4().hex[:12]}"
    topic: str = aws("sns").create_topic(Name=name)["TopicArn"]
    sqs = aws("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    aws("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )

    def drain() -> list[str]:
        messages = []
        while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                messages.append(message["Body"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return messages

    return topic, drain
