from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import producer.app
from inventory_aws.sender import SendingError
from pages import ROOT
from producer.cli import produce
from producer.generator import Mix, Spec
from producer.settings import Settings
from producer.usage import RefusedError


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of each run that the command starts; nothing is sent."""
    started: list[Settings] = []
    monkeypatch.setattr(producer.app, "run", started.append)
    for name in ("STAGE", "STREAM_NAME", "PRODUCER_STREAM"):
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
        "--mix added=1,removed=2 --invalid-share 0.1 --retry-for 4 --output jsonl "
        "--heartbeat alive --stay"
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
            stay=True,
        )
    ]


def test_a_file_takes_the_place_of_generated_events(runs: list[Settings], tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.touch()
    assert invoke("--from-file", str(path), "--send-broken").exit_code == 0
    assert invoke("--from-file", "-").exit_code == 0
    file, stdin = (settings.from_file for settings in runs)
    assert file
    assert file.name == str(path)
    assert stdin
    assert runs == [Settings(from_file=file, send_broken=True), Settings(from_file=stdin)]


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


def test_a_stage_that_is_none_is_one_line_and_nothing_is_sent(runs: list[Settings]) -> None:
    outcome = invoke(env={"STAGE": "Up"})
    assert outcome.exit_code == 2
    assert outcome.output.startswith("Error: STAGE must be 1-20 of a-z, 0-9 and -, ")
    assert runs == []


def test_mounted_in_another_program_it_reads_the_same_environment(runs: list[Settings]) -> None:
    front_door = click.Group(commands=[produce])
    outcome = CliRunner().invoke(front_door, ["produce"], env={"PRODUCER_COUNT": "3"})
    assert outcome.exit_code == 0
    assert runs == [Settings(count=3)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--raet 3", "No such option '--raet'. (Did you mean one of: '--batch', '"),
        ("--xyz", "No such option '--xyz'."),
        ("--rate", "Option '--rate' requires an argument."),
        ("--rate 0", "--rate must be a number above 0, such as 20 (it is '0')"),
        ("--rate inf", "--rate must be a number above 0, such as 20 (it is 'inf')"),
        ("--rate nan", "--rate must be a number above 0, such as 20 (it is 'nan')"),
        ("--duration nan", "--duration must be a number above 0, such as 20 (it is 'nan')"),
        ("--count 0", "--count must be a whole number of at least 1 (it is '0')"),
        ("--rate 1e300", "--rate must be a number up to 1000000 (it is '1e300')"),
        ("--products 1000000000000", "--products must be a whole number from 1 to 1000000000 "),
        ("--products 0", "--products must be a whole number from 1 to 1000000000 (it is '0')"),
        ("--seed x", "--seed must be a whole number (it is 'x')"),
        *[
            (f"--mix {mix}", f"must be shares, such as added=6,removed=1,changed=3 (it is '{mix}')")
            for mix in (
                "added",
                "moved=1",
                "added=x",
                "added=-1,removed=3",
                "added=nan",
                "added=inf",
                "added=1e308,removed=1e308",
                "added=0",
            )
        ],
        ("--invalid-share 1.5", "--invalid-share must be a number from 0 to 1 (it is '1.5')"),
        ("--invalid-share nan", "--invalid-share must be a number from 0 to 1 (it is 'nan')"),
        ("--output xml", "--output must be one of auto, text, jsonl (it is 'xml')"),
        ("--control here", "--control must be HOST:PORT, such as 127.0.0.1:8081 (it is 'here')"),
        ("--from-file /no/such/file", "--from-file: '/no/such/file': No such file"),
        ("--from-file - --seed 1", "Use either --seed or --from-file, not both"),
        ("--from-file - --invalid-share 0.5", "--invalid-share or --from-file, not both"),
        ("--send-broken", "--send-broken needs --from-file"),
        ("now", "Got unexpected extra argument (now)"),
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


def test_all_that_is_wrong_is_in_one_message_by_the_name_it_was_given_by(
    runs: list[Settings],
) -> None:
    variables = {"PRODUCER_RATE": "abc", "PRODUCER_BATCH": "maybe", "PRODUCER_SEED": "1"}
    outcome = invoke("--count", "0", "--output=xml", env=variables)
    assert outcome.exit_code == 2
    assert set(outcome.stderr.removeprefix("Error: ").splitlines()) == {
        "--count must be a whole number of at least 1 (it is '0')",
        "       --output must be one of auto, text, jsonl (it is 'xml')",
        "       PRODUCER_RATE must be a number above 0, such as 20 (it is 'abc')",
        "       PRODUCER_BATCH must be 1 or 0 (it is 'maybe')",
    }
    assert runs == []


def test_a_type_that_is_left_out_of_the_mix_has_no_share(runs: list[Settings]) -> None:
    invoke("--mix", "added=2, changed=0.5")
    assert runs == [Settings(spec=Spec(mix=Mix(2, 0, 0.5)))]


@pytest.mark.parametrize(("error", "code"), [(RefusedError, 2), (SendingError, 1)])
def test_a_run_that_fails_is_one_line_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], code: int
) -> None:
    def fail(settings: Settings) -> None:
        raise error("what is wrong")

    monkeypatch.setattr(producer.app, "run", fail)
    outcome = invoke()
    assert (outcome.exit_code, outcome.stderr) == (code, "Error: what is wrong\n")


def test_help_does_not_load_the_aws_library() -> None:
    code = "import sys; import producer.cli; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_how_to_page_explains_every_option() -> None:
    page = (ROOT / "docs/producer.md").read_text()
    options = [name for param in produce.params for name in param.opts]
    assert [name for name in options if f"| `{name}" not in page] == []


@pytest.mark.parametrize(
    ("settings", "each"),
    [
        (Settings(), True),
        (Settings(rate=20), True),
        (Settings(rate=21), False),
        (Settings(batch=True), False),
        (Settings(rate=20, batch=True), True),
    ],
)
def test_each_event_is_shown_while_a_person_can_follow(settings: Settings, each: bool) -> None:
    assert settings.each_event_shown is each
