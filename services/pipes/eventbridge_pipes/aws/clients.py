"""The boto3 clients that the service shares between all its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from eventbridge_pipes.aws.calls import Calls
from eventbridge_pipes.aws.connect import calls_like, invoker_like
from eventbridge_pipes.aws.cut_off import refuse_cut_off
from eventbridge_pipes.aws.functions import DirectInvoker

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

CONNECTIONS = 256
"""Threads that may use a client at once without opening a connection for each call."""

EXECUTION_LIMIT = 300
"""Seconds that one execution of a pipe may take, as on AWS."""

_CONNECT_TIMEOUT = 5
_READ_TIMEOUT = 15
_READ_TIMEOUTS: Mapping[str, int] = {
    "lambda": EXECUTION_LIMIT + 10,
    "stepfunctions": EXECUTION_LIMIT + 10,
    # A long poll for messages alone may take 20 seconds.
    "sqs": 30,
}


class AwsSetupError(Exception):
    """No Region or no credentials; the message says what to set."""


class Clients:
    """Each client is made when it is first asked for: a pipe pays for the services that it uses.

    Blobs in answers stay in base64 and times stay numbers, in every client: records go on as they
    came. A call is tried once: botocore repeating it would invoke a function or send a message
    twice, and the workers have a pace and a patience of their own.
    """

    def __init__(self, core: botocore.session.Session) -> None:
        self._core = core
        self._session = boto3.Session(botocore_session=core)
        self._made: dict[str, Any] = {}
        self._direct: dict[str, Any] = {}
        # Sessions are not thread-safe; the clients that they make are.
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        return self._session.region_name

    @property
    def kinesis(self) -> KinesisClient:
        client: KinesisClient = self._client("kinesis")
        return client

    @property
    def dynamodbstreams(self) -> DynamoDBStreamsClient:
        client: DynamoDBStreamsClient = self._client("dynamodbstreams")
        return client

    @property
    def kinesis_calls(self) -> Calls:
        """For what is called all the time."""
        return self._calls("kinesis")

    @property
    def dynamodbstreams_calls(self) -> Calls:
        """For what is called all the time."""
        return self._calls("dynamodbstreams")

    @property
    def sqs_calls(self) -> Calls:
        """For what is called all the time."""
        return self._calls("sqs")

    @property
    def invoker(self) -> LambdaClient | DirectInvoker:
        """For the one call of Lambda's that is made all the time."""
        invoker: LambdaClient | DirectInvoker = self._directly("lambda", invoker_like)
        return invoker

    @property
    def sqs(self) -> SQSClient:
        client: SQSClient = self._client("sqs")
        return client

    @property
    def sns(self) -> SNSClient:
        client: SNSClient = self._client("sns")
        return client

    @property
    def lambda_(self) -> LambdaClient:
        client: LambdaClient = self._client("lambda")
        return client

    @property
    def events(self) -> EventBridgeClient:
        client: EventBridgeClient = self._client("events")
        return client

    @property
    def stepfunctions(self) -> SFNClient:
        client: SFNClient = self._client("stepfunctions")
        return client

    @property
    def logs(self) -> CloudWatchLogsClient:
        client: CloudWatchLogsClient = self._client("logs")
        return client

    @property
    def cloudwatch(self) -> CloudWatchClient:
        client: CloudWatchClient = self._client("cloudwatch")
        return client

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _calls(self, service: str) -> Calls:
        calls: Calls = self._directly(service, calls_like)
        return calls

    def _directly(self, service: str, like: Callable[[Any, botocore.session.Session], Any]) -> Any:
        client = self._client(service)
        with self._lock:
            if service not in self._direct:
                self._direct[service] = like(client, self._core)
            return self._direct[service]

    def _make(self, service: str) -> Any:
        settings: dict[str, Any] = {
            "max_pool_connections": CONNECTIONS,
            "tcp_keepalive": True,
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "connect_timeout": _CONNECT_TIMEOUT,
            "read_timeout": _READ_TIMEOUTS.get(service, _READ_TIMEOUT),
        }
        client = self._of(service, **settings)
        if service == "stepfunctions" and self._is_called_elsewhere(service, client):
            return self._of(service, **settings, inject_host_prefix=False)
        return client

    def _is_called_elsewhere(self, service: str, client: Any) -> bool:
        """Whether `client` calls another endpoint than AWS's, as it is.

        botocore puts `sync-` before the host of StartSyncExecution. That name exists for AWS's
        endpoint; an address that somebody chose seldom has it. Who needs it there says so with
        AWS's own setting, AWS_DISABLE_HOST_PREFIX_INJECTION=false.
        https://docs.aws.amazon.com/sdkref/latest/guide/feature-host-prefix.html
        """
        if self._core.get_config_variable("disable_host_prefix_injection") is not None:
            return False
        standard = self._of(service, ignore_configured_endpoint_urls=True)
        elsewhere: bool = client.meta.endpoint_url != standard.meta.endpoint_url
        return elsewhere

    def _of(self, service: Any, **settings: Any) -> Any:
        return self._session.client(service, config=Config(**settings))


def connect() -> Clients:
    """Clients built from the standard AWS variables and profile, endpoints included.

    Raises AwsSetupError when there is no Region, there are no credentials, or the settings are
    of no use.
    """
    try:
        core = botocore.session.Session()
        if not core.get_config_variable("region"):
            raise AwsSetupError("no AWS Region: set AWS_DEFAULT_REGION, or a profile that has one")
        if core.get_credentials() is None:
            raise AwsSetupError(
                "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                "(any value will do for an emulator), or AWS_PROFILE"
            )
        _leave_undecoded(core)
        core.register("before-parse", refuse_cut_off)
        clients = Clients(core)
        # Making one shows whether the settings that all share, such as AWS_ENDPOINT_URL, are good.
        _ = clients.kinesis
        return clients
    except (BotoCoreError, ValueError) as error:
        raise AwsSetupError(f"the AWS settings cannot be used: {error}") from error


def _leave_undecoded(core: botocore.session.Session) -> None:
    """Let no client of this session decode blobs and timestamps.

    A record's data is passed on in base64, which is how it comes, so that decoding and encoding
    it again would cost most of the time that a page of records takes.
    """
    core.get_component("response_parser_factory").set_parser_defaults(
        blob_parser=_as_it_is, timestamp_parser=_as_it_is
    )


def _as_it_is(value: Any) -> Any:
    return value
