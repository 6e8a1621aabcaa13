from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import producer.app
from producer.cli import produce
from producer.errors import CannotStartError, SendingError
from producer.generator import Spec
from producer.mix import Mix
from producer.settings import Settings


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of each run that the command starts; nothing is sent."""
    started: list[Settings] = []
    monkeypatch.setattr(producer.app, "run", started.append)
    for name in ("STREAM_NAME", "PRODUCER_STREAM"):
        monkeypatch.delenv(name, raising=False)
    return started


def invoke(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(produce, arguments, env=env)


def test_without_options_it_is_the_original(runs: list[Settings]) -> None:
    assert invoke().exit_code == 0
    assert runs == [Settings()]
    assert runs[0].stream == "realtimeInventoryProcessing"
    assert runs[0].spec == Spec(products=10_000, mix=Mix(6, 1, 3))


def test_every_option_reaches_the_run(runs: list[Settings]) -> None:
    options = (
        "--stream orders --rate 5 --count 7 --duration 9 --seed 3 --products 20 --batch "
        "--mix added=1,removed=2 --invalid-share 0.1 --retry-for 4 --output jsonl --heartbeat alive"
    )
    assert invoke(*options.split()).exit_code == 0
    assert runs == [
        Settings(
            stream="orders",
            spec=Spec(seed=3, products=20, mix=Mix(1, 2, 0), invalid_share=0.1),
            rate=5,
            count=7,
            duration=9,
            batch=True,
            retry_for=4,
            output="jsonl",
            heartbeat=Path("alive"),
        )
    ]


def test_a_file_takes_the_place_of_generated_events(runs: list[Settings], tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.touch()
    assert invoke("--from-file", str(path), "--send-broken").exit_code == 0
    assert invoke("--from-file", "-").exit_code == 0
    assert runs == [Settings(from_file=str(path), send_broken=True), Settings(from_file="-")]


def test_options_come_from_the_environment_too(runs: list[Settings]) -> None:
    env = {"PRODUCER_RATE": "20", "PRODUCER_BATCH": "1", "PRODUCER_INVALID_SHARE": "0.5"}
    assert invoke(env={**env, "STREAM_NAME": "orders"}).exit_code == 0
    assert runs == [Settings(stream="orders", rate=20, batch=True, spec=Spec(invalid_share=0.5))]


def test_the_command_line_outranks_the_environment(runs: list[Settings]) -> None:
    invoke("--stream", "a", env={"PRODUCER_STREAM": "b", "STREAM_NAME": "c"})
    invoke(env={"PRODUCER_STREAM": "b", "STREAM_NAME": "c"})
    assert [settings.stream for settings in runs] == ["a", "b"]


def test_the_stream_is_that_of_the_stage_unless_it_is_named(runs: list[Settings]) -> None:
    invoke(env={"STAGE": "dev"})
    invoke(env={"STAGE": "dev", "STREAM_NAME": "orders"})
    invoke(env={"STAGE": "default"})
    invoke(env={"STAGE": ""})
    assert [settings.stream for settings in runs] == [
        "dev-realtimeInventoryProcessing",
        "orders",
        *("realtimeInventoryProcessing",) * 2,
    ]


def test_mounted_in_another_program_it_reads_the_same_environment(runs: list[Settings]) -> None:
    front_door = click.Group(commands=[produce])
    outcome = CliRunner().invoke(front_door, ["produce"], env={"PRODUCER_COUNT": "3"})
    assert outcome.exit_code == 0
    assert runs == [Settings(count=3)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--raet 3", "No such option '--raet'"),
        ("--rate 0", "'--rate': 0.0 is not in the range"),
        ("--rate inf", "'--rate': inf is not in the range"),
        ("--rate nan", "'--rate': nan is not a finite number"),
        ("--rate 1e300", "'--rate': 1e+300 is not in the range"),
        ("--products 1000000000000", "'--products': 1000000000000 is not in the range"),
        ("--duration nan", "'--duration': nan is not a finite number"),
        ("--count 0", "'--count': 0 is not in the range"),
        ("--products 0", "'--products': 0 is not in the range"),
        ("--seed x", "'--seed': 'x' is not a valid integer"),
        ("--mix added=-1", "'--mix': a share is a number that is not negative (example: "),
        ("--invalid-share 1.5", "'--invalid-share': 1.5 is not in the range"),
        ("--invalid-share nan", "'--invalid-share': nan is not a finite number"),
        ("--output xml", "'--output': 'xml' is not one of"),
        ("--from-file /no/such/file", "'/no/such/file' does not exist"),
        ("--from-file - --seed 1", "--seed is for generated events"),
        ("--from-file - --invalid-share 0.5", "--invalid-share is for generated events"),
        ("--send-broken", "--send-broken is for --from-file"),
        ("now", "unexpected extra argument"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_2(
    runs: list[Settings], options: str, text: str
) -> None:
    outcome = invoke(*options.split())
    assert outcome.exit_code == 2
    assert text in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert outcome.stdout == ""
    assert runs == []


@pytest.mark.parametrize(("error", "code"), [(CannotStartError, 2), (SendingError, 1)])
def test_a_run_that_fails_is_one_line_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], code: int
) -> None:
    def fail(settings: Settings) -> None:
        raise error("what is wrong")

    monkeypatch.setattr(producer.app, "run", fail)
    outcome = invoke()
    assert (outcome.exit_code, outcome.stderr) == (code, "Error: what is wrong\n")


def test_help_does_not_load_the_aws_library() -> None:
    code = "import sys; import producer.cli; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_how_to_page_explains_every_option() -> None:
    page = (Path(__file__).parents[3] / "docs/producer.md").read_text()
    options = [name for param in produce.params for name in param.opts]
    assert [name for name in options if f"| `{name}" not in page] == []


@pytest.mark.parametrize(
    ("settings", "each"),
    [
        (Settings(), True),
        (Settings(rate=20), True),
        (Settings(rate=21), False),
        (Settings(rate=1, batch=True), False),
    ],
)
def test_each_event_is_shown_while_a_person_can_follow(settings: Settings, each: bool) -> None:
    assert settings.each_event_shown is each
