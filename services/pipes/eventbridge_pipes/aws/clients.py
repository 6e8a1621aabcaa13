"""The AWS clients that the service shares between all its threads.

boto3's clients make the calls that are rare. The calls that are made all the time, such as
GetRecords, Invoke and SendMessageBatch, are made directly: a boto3 call takes about five times
the processor time.
"""

from __future__ import annotations

import io
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import boto3
import botocore.session
from botocore import xform_name
from botocore.client import BaseClient
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

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.http import HttpAnswer, HttpClient, HttpRequest, Signer, check_head

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

EXECUTION_LIMIT = 300
"""Seconds that one execution of a pipe may take, as on AWS."""

_USUAL_READ_TIMEOUT = 15
_READ_TIMEOUTS: Mapping[str, int] = {
    "lambda": EXECUTION_LIMIT + 10,
    "stepfunctions": EXECUTION_LIMIT + 10,
}

_READS = ("Describe", "Get", "List")
"""Operations whose names begin like this change nothing and can be repeated."""

# In AWS's JSON protocol times are numbers, in seconds.
_encode = json.JSONEncoder(separators=(",", ":"), default=datetime.timestamp).encode


class AwsSetupError(Exception):
    """No Region or no credentials; the message says what to set."""


@dataclass(frozen=True)
class Pending:
    """A call that is under way."""

    wait: Callable[[float | None], dict[str, Any]]

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the answer; call it once. Raises botocore's ClientError or BotoCoreError.

        Blobs stay in base64 and times stay numbers. ResponseMetadata is as in boto3's answers.
        `timeout` is the longest silence of the service in seconds, if not the usual one.
        """
        return self.wait(timeout)


class AwsJsonClient:
    """Calls one service by the names of its operations: Kinesis, DynamoDB Streams or SQS.

    Safe for threads. Raises botocore's ClientError or BotoCoreError. A call that the service may
    have processed is not made a second time, except for reads.
    """

    def __init__(self, client: BaseClient, http: HttpClient | None = None) -> None:
        """Without `http`, `client` makes each call, when its result is asked for."""
        self._client = client
        self._http = http

    def begin(self, operation: str, arguments: Mapping[str, Any]) -> Pending:
        """Make a call without waiting for its answer, so that several can be under way."""
        if self._http is None:
            method = getattr(self._client, xform_name(operation))
            return Pending(lambda timeout: method(**arguments))
        protocol = self._client.meta.service_model.metadata
        headers = {
            "x-amz-target": f"{protocol['targetPrefix']}.{operation}",
            "content-type": f"application/x-amz-json-{protocol['jsonVersion']}",
        }
        body = _encode(arguments).encode()
        request = self._http.post(headers, body, repeatable=operation.startswith(_READS))
        return Pending(partial(_json_answer, request, operation))

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call and return its answer (see Pending.result)."""
        return self.begin(operation, arguments).result()

    def close(self) -> None:
        """Close the connections that no call is using."""
        (self._http or self._client).close()


@dataclass(frozen=True)
class LambdaInvoker:
    """Invokes functions, with the arguments and answers of boto3's Lambda client."""

    http: HttpClient

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        """Invoke a function: FunctionName, InvocationType and Payload are required.

        Raises botocore's ClientError or BotoCoreError. No function is invoked a second time.
        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        function = quote(arguments["FunctionName"], safe="")
        headers = {
            "content-type": "application/json",
            "x-amz-invocation-type": arguments["InvocationType"],
        }
        path = f"/2015-03-31/functions/{function}/invocations"
        answer = self.http.post(headers, arguments["Payload"], path).answer()
        if answer.status >= 300:
            raise _client_error(answer, "Invoke")
        result = {
            "StatusCode": answer.status,
            "Payload": io.BytesIO(answer.body),
            "ResponseMetadata": _metadata(answer),
        }
        error = answer.headers.get("x-amz-function-error")
        return {**result, "FunctionError": error} if error else result

    def close(self) -> None:
        """Close the connections that no invocation is using."""
        self.http.close()


def _json_answer(request: HttpRequest, operation: str, timeout: float | None) -> dict[str, Any]:
    answer = request.answer(timeout)
    if answer.status >= 300:
        raise _client_error(answer, operation)
    content = _json_object(answer.body)
    if content is None:
        raise HTTPClientError(error="the answer is not a JSON object")
    return {**content, "ResponseMetadata": _metadata(answer)}


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _metadata(answer: HttpAnswer) -> dict[str, Any]:
    return {
        "HTTPStatusCode": answer.status,
        "HTTPHeaders": answer.headers,
        "RequestId": answer.headers.get("x-amzn-requestid", ""),
    }


def _client_error(answer: HttpAnswer, operation: str) -> ClientError:
    """Return the error that boto3 raises.

    An error's type may have a namespace before it or a URL behind it. SQS also sends the name
    that the error had before SQS spoke JSON, in a header; SDKs use that name.
    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
    """
    content = _json_object(answer.body) or {}
    kind = answer.headers.get("x-amzn-errortype") or content.get("__type") or content.get("code")
    name = str(kind or answer.status).partition(":")[0].rpartition("#")[2]
    code = answer.headers.get("x-amzn-query-error", "").partition(";")[0] or name
    message = str(content.get("message") or content.get("Message") or "")
    error = {"Code": code, "Message": message}
    response: Any = {"Error": error, "ResponseMetadata": _metadata(answer)}
    return ClientError(response, operation)


def queue_url(sqs: AwsJsonClient, queue: Arn) -> str:
    """Ask SQS for the URL of a queue. Raises botocore's ClientError or BotoCoreError."""
    arguments = {"QueueName": queue.name, "QueueOwnerAWSAccountId": queue.account}
    url: str = sqs.call("GetQueueUrl", arguments)["QueueUrl"]
    return url


def direct_client(client: Any, session: Session) -> Any:
    """Return what makes the calls of `client` directly: an AwsJsonClient or a LambdaInvoker.

    `session` is the one that `client` was made with. Behind a proxy, `client` makes the calls.
    """
    http = http_client_like(client, session)
    if client.meta.service_model.service_name == "lambda":
        return LambdaInvoker(http) if http else client
    return AwsJsonClient(client, http)


def http_client_like(client: BaseClient, session: Session) -> HttpClient | None:
    """Return one with the endpoint, credentials, certificates and timeouts of `client`.

    Return None behind a proxy.
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
    signer = Signer(client.meta.region_name, signing_name, partial(credentials_of, session))
    config: Any = client.meta.config
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


def _boto3_property(service: str) -> Any:
    return property(lambda clients: clients._boto3(service))


def _direct_property(service: str) -> Any:
    return property(lambda clients: clients._direct(service))


class Clients:
    """Each client is made when it is first used: a pipe pays for the services that it uses.

    Blobs in answers stay in base64 and times stay numbers, in every client. No client repeats a
    call: botocore would invoke a function or send a message twice, and pipes have retries of
    their own.
    """

    kinesis: KinesisClient = _boto3_property("kinesis")
    dynamodbstreams: DynamoDBStreamsClient = _boto3_property("dynamodbstreams")
    sqs: SQSClient = _boto3_property("sqs")
    sns: SNSClient = _boto3_property("sns")
    lambda_: LambdaClient = _boto3_property("lambda")
    events: EventBridgeClient = _boto3_property("events")
    stepfunctions: SFNClient = _boto3_property("stepfunctions")
    logs: CloudWatchLogsClient = _boto3_property("logs")
    cloudwatch: CloudWatchClient = _boto3_property("cloudwatch")

    kinesis_calls: AwsJsonClient = _direct_property("kinesis")
    dynamodbstreams_calls: AwsJsonClient = _direct_property("dynamodbstreams")
    sqs_calls: AwsJsonClient = _direct_property("sqs")
    invoker: LambdaClient | LambdaInvoker = _direct_property("lambda")

    def __init__(self, core: Session) -> None:
        self._core = core
        self._session = boto3.Session(botocore_session=core)
        self._made: dict[str, Any] = {}
        # Sessions are not thread-safe; the clients that they make are.
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        return self._session.region_name

    def _boto3(self, service: str) -> Any:
        return self._once(service, lambda: self._make(service))

    def _direct(self, service: str) -> Any:
        client = self._boto3(service)
        return self._once(f"{service}, direct", lambda: direct_client(client, self._core))

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    def _make(self, service: str) -> Any:
        settings: dict[str, Any] = {
            # So many threads use a client at once without opening a connection for each call.
            "max_pool_connections": 256,
            "tcp_keepalive": True,
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "connect_timeout": 5,
            "read_timeout": _READ_TIMEOUTS.get(service, _USUAL_READ_TIMEOUT),
        }
        client = self._with(service, **settings)
        if service == "stepfunctions" and self._has_own_endpoint(service, client):
            return self._with(service, **settings, inject_host_prefix=False)
        return client

    def _has_own_endpoint(self, service: str, client: Any) -> bool:
        """Whether `client` calls an endpoint that you set, whose host gets no prefix.

        botocore puts `sync-` before the host of StartSyncExecution. That name exists for AWS's
        endpoint, but seldom for others. If yours has it, set
        AWS_DISABLE_HOST_PREFIX_INJECTION=false, as for AWS's SDKs.
        https://docs.aws.amazon.com/sdkref/latest/guide/feature-host-prefix.html
        """
        if self._core.get_config_variable("disable_host_prefix_injection") is not None:
            return False
        standard = self._with(service, ignore_configured_endpoint_urls=True)
        differs: bool = client.meta.endpoint_url != standard.meta.endpoint_url
        return differs

    def _with(self, service: Any, **settings: Any) -> Any:
        return self._session.client(service, config=Config(**settings))


def connect() -> Clients:
    """Return clients for the standard AWS variables and profile, endpoints included.

    Raises AwsSetupError when there is no Region, there are no credentials, or the settings are
    invalid.
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
        core.register("before-parse", check_answer)
        core.register("before-sign", partial(check_credentials, core))
        clients = Clients(core)
        # Making one shows whether the settings that all share, such as AWS_ENDPOINT_URL, are valid.
        _ = clients.kinesis
        return clients
    except (BotoCoreError, ValueError) as error:
        raise AwsSetupError(f"the AWS settings cannot be used: {error}") from error


def check_credentials(session: Session, **event: Any) -> None:
    """Handle botocore's `before-sign` event; see `credentials_of`."""
    credentials_of(session)


def check_answer(**event: Any) -> None:
    """Handle botocore's `before-parse` event; see `check_head`."""
    answer: Mapping[str, Any] = event["response_dict"]
    check_head(answer["status_code"], answer["headers"])


def _leave_undecoded(core: Session) -> None:
    """Let no client of this session decode blobs and timestamps.

    A record's data is passed on in base64, which is how it comes, so that decoding and encoding
    it again would cost most of the time that a page of records takes.
    """
    core.get_component("response_parser_factory").set_parser_defaults(
        blob_parser=_as_it_is, timestamp_parser=_as_it_is
    )


def _as_it_is(value: Any) -> Any:
    return value
