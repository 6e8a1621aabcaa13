"""The environment of the embedded servers: nothing of the caller's AWS settings, and no proxy."""

from __future__ import annotations

import pytest

from embedded.environment import isolated, variables


def test_the_embedded_servers_get_no_aws_settings_of_the_user() -> None:
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
def test_clients_reach_this_machine_without_the_proxy(environ: dict[str, str], hosts: str) -> None:
    passed = isolated(environ, {})
    assert passed == {**environ, "NO_PROXY": hosts, "no_proxy": hosts}


@pytest.mark.parametrize(
    "environ", [{"NO_PROXY": "intra"}, {"HTTP_PROXY": "http://a", "NO_PROXY": "*"}]
)
def test_without_a_proxy_no_proxy_variable_is_set(environ: dict[str, str]) -> None:
    assert isolated(environ, {}) == environ
