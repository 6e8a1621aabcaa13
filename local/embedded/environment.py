"""The variables that lead every client to local servers, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from embedded.ministack import REGION

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
LOOPBACK = ("127.0.0.1", "localhost")


def variables(endpoint: str, pipes_endpoint: str | None, region: str = REGION) -> dict[str, str]:
    """Return what an SDK or the `aws` command needs to reach the stack.

    Without a `pipes_endpoint` Pipes too are at `endpoint`.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        **({"AWS_ENDPOINT_URL_PIPES": pipes_endpoint} if pipes_endpoint else {}),
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def isolated(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` with `variables` in place of its AWS ones, and no proxy for the loopback."""
    conflicting = overriding(environ, variables)
    others = {k: v for k, v in environ.items() if k not in conflicting}
    return {**others, **past_proxies(environ), **variables}


def overriding(environ: Mapping[str, str], variables: Mapping[str, str]) -> set[str]:
    """Return the variables of `environ` that would override `variables`.

    A profile, a session token or the endpoint of one service would lead a client elsewhere, and
    at worst to a real account. Only the path of certificates is kept.
    """
    own = {name for name in environ if name.startswith("AWS_") and "CA_BUNDLE" not in name}
    return own - variables.keys()


def past_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which clients reach this machine without the proxies."""
    excluded = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if excluded == "*" or not any(name.lower() in PROXIES for name in environ):
        return {}
    hosts = [*filter(None, map(str.strip, excluded.split(","))), *LOOPBACK]
    no_proxy = ",".join(dict.fromkeys(hosts))
    return {"NO_PROXY": no_proxy, "no_proxy": no_proxy}
