"""The standard AWS variables that lead every client to local servers, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_cli.embedded.ministack import REGION


def variables(endpoint: str, pipes_endpoint: str | None, region: str = REGION) -> dict[str, str]:
    """What an SDK or the `aws` command line needs to work on the stack.

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
    """`environ` with `variables` in place of its own AWS ones.

    A profile, a session token or the endpoint of one service would lead a client elsewhere, and
    at worst to a real account. Only where certificates are is kept.
    """
    others = {k: v for k, v in environ.items() if not k.startswith("AWS_") or "CA_BUNDLE" in k}
    return {**others, **variables}
