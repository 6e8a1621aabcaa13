"""Errors, and the line that people read of each."""

from __future__ import annotations

import difflib
import re
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.session import get_session

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_GET_NEW = "get new ones (`aws sso login`, or whatever gave you these) and run it again"


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used. The message names it."""


class DeploymentError(Exception):
    """The stack is not what was asked for. The message says why, and what to do."""


def explain(error: Exception, region: str | None = None) -> str:
    """Return the reason in one printable line."""
    text = access_problem(error, region) or str(error)
    if text == str(error) and isinstance(error, ClientError):
        answer = error.response["Error"]
        text = f"{error.operation_name}: {answer.get('Code')}: {answer.get('Message')}"
    return "".join(c if c.isprintable() else " " for c in text)


def access_problem(error: Exception, region: str | None = None) -> str | None:
    """Return the line for an error of credentials or Region; None for any other error."""
    match error:
        case NoCredentialsError():
            return (
                "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or run where a role gives them"
            )
        case NoRegionError():
            return "no AWS Region: set AWS_DEFAULT_REGION, or a profile that has one"
        case PartialCredentialsError() | CredentialRetrievalError():
            return f"the AWS credentials cannot be used: {' '.join(str(error).split())}"
        case SSOError() | TokenRetrievalError():
            why = " ".join(str(error).split())
            return f"the AWS credentials cannot be used: {why}; {_GET_NEW}"
        case ClientError():
            code = error.response.get("Error", {}).get("Code")
            if code in _EXPIRED:
                return f"the AWS credentials have expired ({code}): {_GET_NEW}"
            if code in _UNKNOWN:
                return (
                    f"AWS does not know these credentials in {region or 'this Region'} ({code}): "
                    "they are wrong or deleted, or the account has not enabled that Region"
                )
        case EndpointConnectionError() if found := _region_of(error):
            return f"nothing answers for the Region {found}: is AWS_DEFAULT_REGION right?" + _hint(
                found
            )
    return None


def _region_of(error: BotoCoreError) -> str | None:
    """Return the Region of an endpoint of AWS; None for the endpoint of an emulator."""
    host = urlsplit(str(error.kwargs.get("endpoint_url"))).hostname or ""
    found = re.fullmatch(r"[a-z0-9-]+\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?", host)
    return found[1] if found else None


def _hint(region: str) -> str:
    session = get_session()
    known = {
        each
        for partition in session.get_available_partitions()
        for each in session.get_available_regions("kinesis", partition)
    }
    if region in known:
        return " It is a Region: the network may keep you from it."
    near = difflib.get_close_matches(region, sorted(known), n=1)
    return f" There is {near[0]}." if near else ""
