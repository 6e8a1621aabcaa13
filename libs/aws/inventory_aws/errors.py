"""Errors, and the line that people read of each."""

from __future__ import annotations

import difflib
import re
from urllib.parse import urlsplit

from botocore import exceptions as aws
from botocore.session import get_session

_EXPIRED = re.compile("ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired")
_UNKNOWN = re.compile(
    "AuthFailure|IncompleteSignature|InvalidClientTokenId|SignatureDoesNotMatch|Unrecognized.*"
)
_GET_NEW = "get new ones (`aws sso login`, or whatever gave you these) and run it again"


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used. The message names it."""


def explain(error: Exception) -> str:
    """Return the reason in one printable line."""
    text = access_problem(error) or str(error)
    if text == str(error) and isinstance(error, aws.ClientError):
        answer = error.response["Error"]
        text = f"{error.operation_name}: {answer.get('Code')}: {answer.get('Message')}"
    return "".join(c if c.isprintable() else " " for c in text)


def access_problem(error: Exception) -> str | None:
    """Return the line for an error of credentials or Region; None for any other error."""
    match error:
        case aws.NoCredentialsError():
            return (
                "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or run where a role gives them"
            )
        case aws.NoRegionError():
            return "no AWS Region: set AWS_DEFAULT_REGION, or a profile that has one"
        case aws.PartialCredentialsError() | aws.CredentialRetrievalError():
            return f"the AWS credentials cannot be used: {' '.join(str(error).split())}"
        case aws.SSOError() | aws.TokenRetrievalError():
            return f"the AWS credentials cannot be used: {' '.join(str(error).split())}; {_GET_NEW}"
        case aws.ClientError():
            code = error.response.get("Error", {}).get("Code", "")
            if _EXPIRED.fullmatch(code):
                return f"the AWS credentials have expired ({code}): {_GET_NEW}"
            if _UNKNOWN.fullmatch(code):
                return (
                    f"AWS does not know these credentials in this Region ({code}): "
                    "they are wrong or deleted, or the account has not enabled that Region"
                )
        case aws.EndpointConnectionError() if at := _region_of(error):
            return f"nothing answers for the Region {at}{_hint(at)}"
    return None


def _region_of(error: aws.BotoCoreError) -> str | None:
    """Return the Region of an endpoint of AWS; None for the endpoint of an emulator."""
    host = urlsplit(str(error.kwargs.get("endpoint_url"))).hostname or ""
    found = re.fullmatch(r"[a-z0-9-]+\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?", host)
    return found[1] if found else None


def _hint(region: str) -> str:
    get, partitions = get_session().get_available_regions, get_session().get_available_partitions()
    known = {each for partition in partitions for each in get("kinesis", partition)}
    if region in known:
        return ". The network may keep you from it."
    near = difflib.get_close_matches(region, sorted(known), n=1)
    return ": is AWS_DEFAULT_REGION right?" + (f" There is {near[0]}." if near else "")
