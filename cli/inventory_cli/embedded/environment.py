"""The standard AWS variables that lead every client to the embedded servers, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_cli.embedded.ministack import REGION


def variables(endpoint: str, pipes_endpoint: str) -> dict[str, str]:
    """What an SDK or the `aws` command line needs to work on the stack."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_PIPES": pipes_endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def isolated(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """`environ` with `variables` in place of its own AWS ones.

    A profile, a session token or the endpoint of one service would lead a client elsewhere, and
    at worst to a real account. Only where certificates are is kept.
    """
    others = {k: v for k, v in environ.items() if not k.startswith("AWS_") or "CA_BUNDLE" in k}
    return {**others, **variables}
