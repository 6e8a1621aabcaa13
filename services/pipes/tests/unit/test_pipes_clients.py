"""The clients: made late, once, and each with what its service needs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
)

from eventbridge_pipes.arn import Scope
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import AwsClients, AwsSetupError, Clients, connect

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCOUNT_ID": "123456789012",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only these settings, whatever the machine has."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def at_home() -> Clients:
    aws = connect()
    return aws.of(aws.home)


def asked_hosts(clients: Clients) -> list[str]:
    """The hosts that StartSyncExecution and StartExecution go to."""
    client = clients.stepfunctions
    hosts: list[str] = []

    def stop(request: Any, **_: Any) -> None:
        hosts.append(urlsplit(request.url).netloc)
        raise ConnectionAbortedError

    client.meta.events.register("before-send", stop)
    for call in (client.start_sync_execution, client.start_execution):
        with pytest.raises(ConnectionAbortedError):
            call(stateMachineArn="arn:aws:states:eu-west-1:000000000000:stateMachine:x")
    return hosts


def test_a_client_is_made_when_it_is_asked_for_and_then_kept() -> None:
    clients = at_home()
    assert {service for service, _ in clients._made} == {"kinesis"}
    assert clients.sns is clients.sns
    assert clients.sqs_calls is clients.sqs_calls
    assert {service for service, _ in clients._made} == {"kinesis", "sns", "sqs"}
    assert clients.sns.meta.region_name == "eu-west-1"


def test_threads_that_ask_at_once_get_the_same_client() -> None:
    clients, found, barrier = at_home(), [], threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(clients.events)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_no_client_repeats_a_call_by_itself() -> None:
    clients = at_home()
    for client in (clients.kinesis, clients.lambda_, clients.sns, clients.stepfunctions):
        assert client.meta.config.retries["total_max_attempts"] == 1  # type: ignore[attr-defined]


def test_a_synchronous_execution_goes_to_aws_own_host_with_its_prefix() -> None:
    assert asked_hosts(at_home()) == [
        "sync-states.eu-west-1.amazonaws.com",
        "states.eu-west-1.amazonaws.com",
    ]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SFN"])
def test_a_chosen_endpoint_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:4566")
    assert asked_hosts(at_home()) == ["127.0.0.1:4566", "127.0.0.1:4566"]


def test_aws_setting_for_the_prefix_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://states.example")
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "false")
    assert asked_hosts(at_home()) == ["sync-states.example", "states.example"]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("still expired"),
        ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole"),
        NoCredentialsError(),
    ],
)
def test_credentials_that_cannot_be_had_are_a_fault_of_the_service(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    clients = at_home()

    def refresh(_: Credentials) -> None:
        raise error

    monkeypatch.setattr(Credentials, "get_frozen_credentials", refresh)
    for call in (
        lambda: clients.sns.publish(TopicArn="arn:aws:sns:eu-west-1:0:t", Message="m"),
        lambda: clients.sqs_calls.call("SendMessage", {}),
        lambda: clients.invoker.invoke(
            FunctionName="f", InvocationType="RequestResponse", Payload=b"{}"
        ),
    ):
        with pytest.raises(BotoCoreError) as raised:
            call()
        assert errors.is_service_error(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AWS_DEFAULT_REGION", "not a region", "Region|region"),
        ("AWS_ACCOUNT_ID", "1234-5678-9012", "12 digits"),
        ("AWS_ACCESS_KEY_ID", None, "AWS_SECRET_ACCESS_KEY|no AWS credentials"),
        ("AWS_ENDPOINT_URL", "not a url", "Invalid endpoint"),
        ("AWS_PROFILE", "absent", "profile"),
    ],
)
def test_settings_that_are_of_no_use_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, told: str
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(AwsSetupError, match=told):
        connect()


EMULATOR = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
PRIVATE = {"AWS_ENDPOINT_URL": "https://vpce-1.kinesis.eu-west-1.vpce.amazonaws.com"}
MINE, OTHER, EMULATORS = "123456789012", "222222222222", "000000000000"


def connected(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> AwsClients:
    monkeypatch.delenv("AWS_ACCOUNT_ID")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return connect()


@pytest.mark.parametrize(
    ("variables", "account"),
    [
        (EMULATOR, EMULATORS),
        ({"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:4566"}, EMULATORS),
        ({**EMULATOR, "AWS_ACCESS_KEY_ID": OTHER}, EMULATORS),
        ({**EMULATOR, "AWS_ACCOUNT_ID": MINE}, MINE),
        ({**EMULATOR, "AWS_ACCOUNT_ID": MINE, "AWS_ACCESS_KEY_ID": OTHER}, MINE),
    ],
)
def test_beside_an_emulator_other_keys_are_of_the_set_account_or_the_emulators(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], account: str
) -> None:
    aws = connected(monkeypatch, variables)
    assert (aws.home, aws.emulated) == (Scope(account, "eu-west-1"), True)


@pytest.mark.parametrize("setting", ["endpoint_url = http://127.0.0.1:4566", "services = local"])
def test_a_profile_sets_credentials_and_an_endpoint_and_a_variable_the_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str
) -> None:
    keys = "aws_access_key_id = a\naws_secret_access_key = b"
    services = "[services local]\nsqs =\n  endpoint_url = http://127.0.0.1:4566"
    (tmp_path / "AWS_CONFIG_FILE").write_text(f"[default]\n{keys}\n{setting}\n{services}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    aws = connected(monkeypatch, {"AWS_ACCOUNT_ID": MINE})
    assert (aws.home.account, aws.emulated) == (MINE, True)


@pytest.mark.parametrize("variables", [{}, PRIVATE], ids=["AWS", "a private endpoint of AWS"])
def test_an_account_that_aws_does_not_tell_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    def no_answer(*_: Any, **__: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://sts")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", no_answer)
    with pytest.raises(AwsSetupError, match="set AWS_ACCOUNT_ID, or AWS_ENDPOINT_URL"):
        connected(monkeypatch, variables)


def test_an_endpoint_of_a_service_that_pipes_do_not_use_is_no_emulator_of_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")
    assert not connect().emulated


def test_without_a_region_the_usual_one_is_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    aws = connect()
    assert (aws.home.region, aws.emulated) == ("us-east-1", False)


@pytest.mark.parametrize(
    ("variables", "account", "key"),
    [
        # The service's own key where it is that of the account; any secret does for an emulator.
        ({**EMULATOR, "AWS_ACCOUNT_ID": MINE}, EMULATORS, "test"),
        ({**EMULATOR, "AWS_ACCOUNT_ID": MINE}, MINE, MINE),
        ({**EMULATOR, "AWS_ACCOUNT_ID": MINE}, OTHER, OTHER),
        ({**EMULATOR, "AWS_ACCESS_KEY_ID": OTHER}, EMULATORS, EMULATORS),
        ({"AWS_ACCOUNT_ID": MINE}, MINE, "test"),
        ({**PRIVATE, "AWS_ACCOUNT_ID": MINE}, MINE, "test"),
    ],
)
def test_an_account_and_a_region_have_clients_of_their_own(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], account: str, key: str
) -> None:
    aws = connected(monkeypatch, variables)
    clients = aws.of(Scope(account, "sa-east-1"))
    assert clients is aws.of(Scope(account, "sa-east-1"))
    assert clients is not aws.of(aws.home)
    signed: list[str] = []

    def stop(request: Any, **_: Any) -> None:
        signed.append(request.headers["Authorization"].decode())
        raise ConnectionAbortedError

    clients.sns.meta.events.register("before-send", stop)
    with pytest.raises(ConnectionAbortedError):
        clients.sns.list_topics()
    http = clients.sqs_calls.http
    assert http
    signed.append(http.signer.sign("/", {"host": "h"}, b"", 0.0)["authorization"])
    for authorization in signed:
        assert f"Credential={key}/" in authorization
        assert "/sa-east-1/" in authorization
