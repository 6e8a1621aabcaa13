"""Why AWS lets a caller in at all, or does not: credentials, and the Region."""

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


def access_problem(error: Exception, region: str | None = None) -> str | None:
    """The line for an error that has nothing to do with what was called; None for any other."""
    match error:
        case NoCredentialsError():
            return (
                "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or run where a role gives them"
            )
        case NoRegionError():
            return "no AWS Region: set AWS_DEFAULT_REGION, or a profile that has one"
        case PartialCredentialsError() | CredentialRetrievalError():
            return f"the AWS credentials cannot be used: {_printable(str(error))}"
        case SSOError() | TokenRetrievalError():
            return f"the AWS credentials cannot be used: {_printable(str(error))}; {_GET_NEW}"
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
            hint = _alike(found)
            return f"nothing answers for the Region {found}: is AWS_DEFAULT_REGION right?{hint}"
    return None


def denied_action(error: Exception) -> str | None:
    """The action ("kinesis:CreateStream") that the caller may not do, if that is the error."""
    if not isinstance(error, ClientError):
        return None
    answer = error.response.get("Error", {})
    if not re.match(
        "AccessDenied|AuthorizationError|UnauthorizedOperation", answer.get("Code", "")
    ):
        return None
    named = re.search(r"perform:? ([A-Za-z0-9-]+:\w+)", str(answer.get("Message", "")))
    return named[1] if named else error.operation_name


def _region_of(error: BotoCoreError) -> str | None:
    """Of an endpoint of AWS; anybody else's is theirs to mend."""
    host = urlsplit(str(error.kwargs.get("endpoint_url"))).hostname or ""
    found = re.fullmatch(r"[a-z0-9-]+\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?", host)
    return found[1] if found else None


def _alike(region: str) -> str:
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


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
