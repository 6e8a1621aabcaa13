"""The AWS clients that the service shares between all its threads, by account and Region.

botocore's clients, which are those of boto3, make the calls that are rare. The calls that are
made all the time, such as GetRecords, Invoke and SendMessageBatch, are made directly: a call of
botocore's takes about five times the processor time.
"""

from __future__ import annotations

import io
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore import xform_name
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.httpsession import get_cert_path
from botocore.session import Session
from botocore.utils import get_environ_proxies

from eventbridge_pipes.arn import ACCOUNT, Arn, Scope
from eventbridge_pipes.aws.http import HttpAnswer, HttpClient, PendingAnswer, Signer

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

EXECUTION_LIMIT = 300
"""Seconds that one execution of a pipe may take, as on AWS."""

USUAL_REGION = "us-east-1"
"""The Region of requests without a signature, when none is configured."""

_USED_SERVICES = (
    *("cloudwatch", "cloudwatch_logs", "dynamodb_streams", "eventbridge", "kinesis"),
    *("lambda", "sfn", "sns", "sqs", "sts"),
)
"""The names that they have in settings of endpoints."""

EMULATORS_ACCOUNT = "000000000000"
"""That of LocalStack and MiniStack, when nothing names another one."""

_READS = ("Describe", "Get", "List")
"""Operations whose names begin like this change nothing and can be repeated."""

PendingCall = Callable[[float | None], dict[str, Any]]
"""A call that is under way. Calling it, once, waits for the answer and returns it.

It takes the longest silence of the service in seconds, None for the usual one. It raises
botocore's ClientError or BotoCoreError. Blobs stay in base64 and times stay numbers.
ResponseMetadata is as in botocore's answers.
"""

_encode = json.JSONEncoder(separators=(",", ":")).encode


class AwsSetupError(Exception):
    """No credentials, or settings that cannot be used; the message says what to set."""


@dataclass(frozen=True)
class DirectClient:
    """Calls one service without botocore, with the arguments and answers that botocore has.

    Safe for threads. Raises botocore's ClientError or BotoCoreError. A call that the service may
    have processed is not made a second time, except for reads. Without `http`, botocore's
    `client` makes each call, when its answer is asked for.
    """

    client: Any
    http: HttpClient | None

    def begin(self, operation: str, arguments: Mapping[str, Any]) -> PendingCall:
        """Make a call without waiting for its answer, so that several can be under way.

        For Kinesis, DynamoDB Streams and SQS, which speak AWS's JSON protocol.
        """
        if self.http is None:
            method = getattr(self.client, xform_name(operation))
            return lambda timeout: method(**arguments)
        protocol = self.client.meta.service_model.metadata
        headers = {
            "x-amz-target": f"{protocol['targetPrefix']}.{operation}",
            "content-type": f"application/x-amz-json-{protocol['jsonVersion']}",
        }
        body = _encode(arguments).encode()
        pending = self.http.post(headers, body, repeatable=operation.startswith(_READS))
        return partial(_json_answer, pending, operation)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call and return its answer (see PendingCall)."""
        return self.begin(operation, arguments)(None)

    def invoke(self, **arguments: Any) -> Any:
        """Invoke a function: FunctionName, InvocationType and Payload are required.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        if self.http is None:
            return self.client.invoke(**arguments)
        function = quote(arguments["FunctionName"], safe="")
        headers = {
            "content-type": "application/json",
            "x-amz-invocation-type": arguments["InvocationType"],
        }
        path = f"/2015-03-31/functions/{function}/invocations"
        answer, metadata = _success(self.http.post(headers, arguments["Payload"], path), "Invoke")
        result = {
            "StatusCode": answer.status,
            "Payload": io.BytesIO(answer.body),
            "ResponseMetadata": metadata,
        }
        error = answer.headers.get("x-amz-function-error")
        return {**result, "FunctionError": error} if error else result

    def close(self) -> None:
        """Close the connections that no call is using."""
        (self.http or self.client).close()


def _json_answer(pending: PendingAnswer, operation: str, timeout: float | None) -> dict[str, Any]:
    answer, metadata = _success(pending, operation, timeout)
    content = _json_object(answer.body)
    if content is None:
        raise HTTPClientError(error="the answer is not a JSON object")
    return {**content, "ResponseMetadata": metadata}


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _success(
    pending: PendingAnswer, operation: str, timeout: float | None = None
) -> tuple[HttpAnswer, dict[str, Any]]:
    """Return the answer and its metadata, as botocore has them, or raise botocore's error.

    An error's type may have a namespace before it or a URL behind it. SQS also sends the name
    that the error had before SQS spoke JSON, in a header; SDKs use that name.
    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
    """
    status, headers, body = answer = pending(timeout)
    request_id = headers.get("x-amzn-requestid", "")
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers, "RequestId": request_id}
    if status < 300:
        return answer, metadata
    content = _json_object(body) or {}
    kind = headers.get("x-amzn-errortype") or content.get("__type") or content.get("code")
    name = str(kind or status).partition(":")[0].rpartition("#")[2]
    code = headers.get("x-amzn-query-error", "").partition(";")[0] or name
    message = str(content.get("message") or content.get("Message") or "")
    error: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
    raise ClientError(error, operation)


def queue_url(sqs: DirectClient, queue: Arn) -> str:
    """Ask SQS for the URL of a queue. Raises botocore's ClientError or BotoCoreError."""
    arguments = {"QueueName": queue.name, "QueueOwnerAWSAccountId": queue.account}
    url: str = sqs.call("GetQueueUrl", arguments)["QueueUrl"]
    return url


def http_client_like(
    client: Any, session: Session, account: str | None = None
) -> HttpClient | None:
    """Return one with the endpoint, certificates and timeouts of botocore's `client`.

    Its credentials are those of `session`, which the client was made with, or for an emulator, an
    `account`. Return None behind a proxy.
    """
    url = client.meta.endpoint_url
    scheme = urlsplit(url).scheme
    if scheme in get_environ_proxies(url):
        return None
    tls = None
    if scheme == "https":
        bundle = get_cert_path(session.get_config_variable("ca_bundle") or True)
        tls = ssl.create_default_context(cafile=bundle)
    signing_name = client.meta.service_model.signing_name
    chosen = ReadOnlyCredentials(account, account, None) if account else None
    signer = Signer(
        client.meta.region_name, signing_name, lambda: chosen or credentials_of(session)
    )
    config = client.meta.config
    return HttpClient(url, signer, tls, config.connect_timeout, config.read_timeout)


def credentials_of(session: Session) -> ReadOnlyCredentials:
    """Return the current credentials. Raises BotoCoreError, whatever their provider raises."""
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    try:
        return credentials.get_frozen_credentials()
    except BotoCoreError:
        raise
    except Exception as error:
        # Also ClientError, of the call that assumes a role, for example. It says nothing about
        # the call that is to be signed.
        raise CredentialRetrievalError(provider=credentials.method, error_msg=error) from error


def _client(service: str, direct: bool = False) -> Any:
    return property(lambda clients: clients.client(service, direct))


class Clients:
    """The clients of one account and one Region.

    Each client is made when it is first used: a pipe pays for the services that it uses.

    Blobs in answers stay in base64 and times stay numbers, in every client. No client repeats a
    call: botocore would invoke a function or send a message twice, and pipes have retries of
    their own.
    """

    kinesis: KinesisClient = _client("kinesis")
    sns: SNSClient = _client("sns")
    lambda_: LambdaClient = _client("lambda")
    events: EventBridgeClient = _client("events")
    stepfunctions: SFNClient = _client("stepfunctions")
    logs: CloudWatchLogsClient = _client("logs")
    cloudwatch: CloudWatchClient = _client("cloudwatch")

    kinesis_calls: DirectClient = _client("kinesis", direct=True)
    dynamodbstreams_calls: DirectClient = _client("dynamodbstreams", direct=True)
    sqs_calls: DirectClient = _client("sqs", direct=True)
    invoker: DirectClient = _client("lambda", direct=True)

    def __init__(
        self, core: Session, lock: threading.RLock, region: str, account: str | None
    ) -> None:
        """`lock` guards `core`: sessions are not thread-safe; the clients that they make are.

        Emulators take an access key id of 12 digits for an account. `account` is None for the
        account of the service's own credentials.
        """
        self._core = core
        self._lock = lock
        self._region = region
        self._account = account
        self._made: dict[tuple[str, bool], Any] = {}

    def client(self, service: str, direct: bool = False) -> Any:
        """Return botocore's client of `service`, as boto3 names it, or its DirectClient."""
        with self._lock:
            key = (service, direct)
            if key not in self._made:
                self._made[key] = self._direct(service) if direct else self._make(service)
            return self._made[key]

    def _direct(self, service: str) -> DirectClient:
        client = self.client(service)
        return DirectClient(client, http_client_like(client, self._core, self._account))

    def _make(self, service: str) -> Any:
        """Make botocore's client.

        It puts `sync-` before the host of StartSyncExecution. That name exists for AWS's
        endpoint, but seldom for one that you set: its host gets no prefix. If yours has it, set
        AWS_DISABLE_HOST_PREFIX_INJECTION=false, as for AWS's SDKs.
        https://docs.aws.amazon.com/sdkref/latest/guide/feature-host-prefix.html
        """
        waits = service in ("lambda", "stepfunctions")
        settings: dict[str, Any] = {
            # So many threads use a client at once without opening a connection for each call.
            "max_pool_connections": 256,
            "tcp_keepalive": True,
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "connect_timeout": 5,
            "read_timeout": EXECUTION_LIMIT + 10 if waits else 15,
        }
        client = self._with(service, **settings)
        decided = self._core.get_config_variable("disable_host_prefix_injection") is not None
        if service == "stepfunctions" and not decided:
            standard = self._with(service, ignore_configured_endpoint_urls=True)
            if client.meta.endpoint_url != standard.meta.endpoint_url:
                return self._with(service, **settings, inject_host_prefix=False)
        return client

    def _with(self, service: Any, **settings: Any) -> Any:
        return self._core.create_client(
            service,
            self._region,
            config=Config(**settings),
            aws_access_key_id=self._account,
            aws_secret_access_key=self._account,
        )


class AwsClients:
    """The clients of each account and Region, made when they are first asked for.

    `home` is where requests belong that do not say it themselves. `emulated`: an endpoint is set
    that is not AWS's own. An emulator takes an access key id of 12 digits for the account, so each
    account has that key. AWS gets the service's own credentials.
    """

    def __init__(self, core: Session, environ: Mapping[str, str]) -> None:
        """Raises what botocore raises for settings that cannot be used, and AwsSetupError."""
        self._core = core
        self._lock = threading.RLock()
        self._made: dict[Scope, Clients] = {}
        self.emulated = any(map(_is_emulator, _endpoints(core, environ)))
        region = core.get_config_variable("region") or USUAL_REGION
        own = credentials_of(core)
        key_id = str(own.access_key)
        self._own_account = key_id if ACCOUNT.fullmatch(key_id) else EMULATORS_ACCOUNT
        account = environ.get("AWS_ACCOUNT_ID") or own.account_id
        if account and not ACCOUNT.fullmatch(account):
            raise AwsSetupError(f"AWS_ACCOUNT_ID is {account!r}: an account has 12 digits")
        if not account:
            account = EMULATORS_ACCOUNT if self.emulated else _asked_account(core, region)
        self.home = Scope(account, region)

    def of(self, scope: Scope) -> Clients:
        with self._lock:
            if scope not in self._made:
                own = not self.emulated or scope.account == self._own_account
                account = None if own else scope.account
                self._made[scope] = Clients(self._core, self._lock, scope.region, account)
            return self._made[scope]


def _endpoints(core: Session, environ: Mapping[str, str]) -> Iterator[str]:
    """All endpoints that are set for the services that pipes use.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    profile = core.get_scoped_config()
    services = core.full_config.get("services", {}).get(profile.get("services"), {})
    yield environ.get("AWS_ENDPOINT_URL", "")
    yield profile.get("endpoint_url", "")
    for service in _USED_SERVICES:
        yield environ.get(f"AWS_ENDPOINT_URL_{service.upper()}", "")
        yield services.get(service, {}).get("endpoint_url", "")


def _is_emulator(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return bool(host) and not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _asked_account(core: Session, region: str) -> str:
    """Ask AWS for the account of the service's own credentials."""
    try:
        config = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2})
        sts: Any = core.create_client("sts", region, config=config)
        return str(sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise AwsSetupError(
            f"AWS does not tell the account of these credentials ({error}): set AWS_ACCOUNT_ID, "
            "or AWS_ENDPOINT_URL if there is an emulator"
        ) from error


def connect() -> AwsClients:
    """Return clients for the standard AWS variables and profile, endpoints included.

    Raises AwsSetupError when there are no credentials, or the settings are invalid.
    """
    try:
        core = Session()
        if core.get_credentials() is None:
            raise AwsSetupError(
                "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                "(any value will do for an emulator), or AWS_PROFILE"
            )
        # No client decodes blobs and timestamps. A record's data is passed on in base64, which is
        # how it comes: to decode and encode it would take most of the time for a page of records.
        core.get_component("response_parser_factory").set_parser_defaults(
            blob_parser=_as_it_is, timestamp_parser=_as_it_is
        )
        core.register("before-parse", check_answer)
        core.register("before-sign", partial(check_credentials, core))
        aws = AwsClients(core, os.environ)
        # Making one shows whether the settings that all share, such as AWS_ENDPOINT_URL, are valid.
        _ = aws.of(aws.home).kinesis
        return aws
    except (BotoCoreError, ValueError) as error:
        raise AwsSetupError(f"the AWS settings cannot be used: {error}") from error


def check_credentials(session: Session, **_: Any) -> None:
    """Handle botocore's `before-sign` event; see `credentials_of`."""
    credentials_of(session)


def check_answer(**event: Any) -> None:
    """Handle botocore's `before-parse` event: raise HTTPClientError if the head is cut off.

    Python's HTTP client accepts a head that ends where the connection does. What is left may look
    like a success without content, which for a queue means that no record failed. An answer that
    does not say where its body ends, by its length, in chunks or with the connection, has lost the
    line that did. https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """
    answer: Mapping[str, Any] = event["response_dict"]
    headers = answer["headers"]
    framed = headers.get("content-length") or headers.get("transfer-encoding")
    closing = "close" in headers.get("connection", "").lower()
    if not framed and not closing and answer["status_code"] not in (204, 304):
        raise HTTPClientError(error="the head of the answer is cut off")


def _as_it_is(value: Any) -> Any:
    return value
