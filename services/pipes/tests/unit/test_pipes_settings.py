from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from eventbridge_pipes import __version__
from eventbridge_pipes.guard import Admitted
from eventbridge_pipes.settings import Settings


def parsed(*arguments: str, environ: Mapping[str, str] | None = None) -> Settings:
    return Settings.read(arguments, environ or {})


def test_it_runs_without_any_option_on_this_machine_only_and_keeps_what_it_knows() -> None:
    assert parsed() == Settings(
        host="127.0.0.1",
        port=4567,
        state=Path(".eventbridge-pipes"),
        log_format="text",
        log_level="info",
        metrics_interval=10.0,
    )


def test_every_option_has_its_setting() -> None:
    arguments = ["--host", "::1", "--port", "0", "--state", "there", "--log-format", "json"]
    assert parsed(*arguments, "--log-level", "debug", "--metrics-interval", "2.5") == Settings(
        host="::1",
        port=0,
        state=Path("there"),
        log_format="json",
        log_level="debug",
        metrics_interval=2.5,
    )


def test_hosts_and_origins_are_admitted_by_options_and_by_variables() -> None:
    arguments = ["--allow-host", "Pipes", "--allow-origin", "http://localhost:3000"]
    environ = {
        "PIPES_ALLOW_HOST": "a.example, [::1] , b.example.",
        "PIPES_ALLOW_ORIGIN": "https://B.example,http://c.example:80",
    }
    assert parsed(*arguments, environ=environ).admitted == Admitted(
        frozenset({"pipes", "a.example", "::1", "b.example"}),
        frozenset({"http://localhost:3000", "https://b.example", "http://c.example"}),
    )


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"PIPES_ALLOW_HOST": "a.example:80"}, "'a.example:80' is not a host's name"),
        ({"PIPES_ALLOW_HOST": "http://a.example"}, "is not a host's name"),
        ({"PIPES_ALLOW_ORIGIN": "http://a.example/"}, "'http://a.example/' is not an origin"),
        ({"PIPES_ALLOW_ORIGIN": "a.example"}, "is not an origin"),
        ({"PIPES_ALLOW_ORIGIN": "*"}, "is not an origin"),
        ({"PIPES_ALLOW_ORIGIN": "null"}, "is not an origin"),
    ],
)
def test_a_wrong_variable_is_named_and_ends_it(
    capsys: pytest.CaptureFixture[str], environ: dict[str, str], named: str
) -> None:
    with pytest.raises(SystemExit):
        parsed(environ=environ)
    assert named in capsys.readouterr().err


def test_in_memory_there_is_no_state_directory() -> None:
    assert parsed("--in-memory").state is None


def test_the_image_keeps_its_state_on_its_volume_unless_a_command_says_otherwise() -> None:
    image = (Path(__file__).parents[2] / "Dockerfile").read_text()
    _, _, module, *arguments = json.loads(image.partition("\nENTRYPOINT ")[2].partition("\n")[0])
    environ = dict(re.findall(r"\b(PIPES_\w+)=(\S+)", image))
    (volume,) = re.findall(r"^VOLUME (\S+)$", image, re.MULTILINE)
    assert module == "eventbridge_pipes"
    assert parsed(*arguments, "--allow-crash", environ=environ).state == Path(volume)
    assert parsed(*arguments, "--in-memory", environ=environ).state is None
    assert parsed(*arguments, "--state", "there", environ=environ).state == Path("there")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--in-memory", "--state", "there"], "not allowed with"),
        (["--port", "65536"], "is not a number from 0 to 65535"),
        (["--port", "-1"], "is not a number from 0 to 65535"),
        (["--port", "http"], "is not a number from 0 to 65535"),
        (["--metrics-interval", "-1"], "from 0 to 3600"),
        (["--metrics-interval", "nan"], "from 0 to 3600"),
        (["--log-format", "xml"], "invalid choice"),
        (["--log-level", "loud"], "invalid choice"),
        (["--memory"], "unrecognized arguments: --memory. See eventbridge-pipes --help."),
        (["--prot", "3\n4"], "unrecognized arguments: --prot 3\\n4. See"),
        (["--in"], "unrecognized arguments"),
        (["orders"], "unrecognized arguments"),
    ],
)
def test_a_wrong_option_is_named_and_ends_it(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(*arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("eventbridge-pipes: ")
    assert named in line


def printed(capsys: pytest.CaptureFixture[str], option: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parsed(option)
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_version_names_the_command_and_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--version") == f"eventbridge-pipes {__version__}\n"


def test_help_names_every_option_its_default_and_the_variables_of_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = printed(capsys, "--help")
    options = [
        "host",
        "port",
        "allow-host",
        "allow-origin",
        "state",
        "in-memory",
        "log-format",
        "log-level",
        "metrics-interval",
        "version",
    ]
    assert [option for option in options if f"--{option}" not in text] == []
    defaults = re.findall(r"\(default:\s+([^)]+)\)", text)
    assert defaults == ["127.0.0.1", "4567", ".eventbridge-pipes", "text", "info", "10"]
    for variable in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "PIPES_STATE", "PIPES_ALLOW_HOST"):
        assert variable in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("seconds", ["-1", "3601", "nan", "soon"])
def test_an_interval_that_is_none_is_refused(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(f"--metrics-interval={seconds}")
    assert "is not a number of seconds from 0 to 3600" in capsys.readouterr().err


def test_an_interval_of_0_is_taken() -> None:
    assert parsed("--metrics-interval", "0").metrics_interval == 0
