"""The environment of the embedded servers: nothing of the caller's AWS settings, and no proxy."""

from __future__ import annotations

import pytest

from embedded.environment import isolated, variables


def test_nothing_of_ones_own_aws_environment_reaches_the_embedded_servers() -> None:
    own = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.us-east-1.amazonaws.com",
        "AWS_CA_BUNDLE": "/etc/ca.pem",
        "PATH": "/bin",
    }
    embedded = variables("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert isolated(own, embedded) == {"PATH": "/bin", "AWS_CA_BUNDLE": "/etc/ca.pem", **embedded}


@pytest.mark.parametrize(
    ("environ", "hosts"),
    [
        ({"HTTP_PROXY": "http://proxy:3128"}, "127.0.0.1,localhost"),
        ({"https_proxy": "http://proxy:3128"}, "127.0.0.1,localhost"),
        (
            {"ALL_PROXY": "socks5://proxy", "NO_PROXY": "intra, localhost"},
            "intra,localhost,127.0.0.1",
        ),
        ({"HTTP_PROXY": "http://proxy", "no_proxy": "a", "NO_PROXY": "b"}, "a,127.0.0.1,localhost"),
    ],
)
def test_this_machine_is_reached_past_proxies(environ: dict[str, str], hosts: str) -> None:
    passed = isolated(environ, {})
    assert passed == {**environ, "NO_PROXY": hosts, "no_proxy": hosts}


@pytest.mark.parametrize(
    "environ", [{"NO_PROXY": "intra"}, {"HTTP_PROXY": "http://a", "NO_PROXY": "*"}]
)
def test_without_a_proxy_nothing_is_said_of_any(environ: dict[str, str]) -> None:
    assert isolated(environ, {}) == environ
