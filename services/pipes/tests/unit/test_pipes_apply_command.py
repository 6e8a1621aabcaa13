from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from eventbridge_pipes.apply import command
from eventbridge_pipes.apply.resolution import Question
from eventbridge_pipes.apply.stack import given
from pipes_requests import (
    BUS,
    FUNCTION,
    LOG_GROUP,
    QUEUE,
    REGION,
    ROLE,
    STATE_MACHINE,
    STREAM,
    TABLE_STREAM,
    TOPIC,
    arn,
)

TEMPLATE = """
Parameters: {Size: {Type: Number}}
Resources:
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties:
      RoleArn: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/r
      Source: !GetAtt Stream.Arn
      Target: !Sub arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${Queue.QueueName}
      SourceParameters:
        KinesisStreamParameters: {StartingPosition: LATEST, BatchSize: !Ref Size}
"""


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A template, and an environment that leads nowhere."""
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PIPES"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


GIVEN = ["--parameter", "Size=7", "--parameter", "AWS::AccountId=000000000000"]
GIVEN += ["--resource", f"Stream={STREAM}", "--resource", "Queue.QueueName=orders"]


def test_without_a_stack_the_options_answer_all(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(template), *GIVEN, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "CreatePipe": {
                "Name": "Pipe",
                "RoleArn": ROLE,
                "Source": STREAM,
                "Target": arn("sqs", "orders"),
                "SourceParameters": {
                    "KinesisStreamParameters": {"StartingPosition": "LATEST", "BatchSize": 7}
                },
            }
        }
    ]


def test_all_that_is_missing_is_named_with_the_option_that_gives_it(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(template)]) == 2
    lines = capsys.readouterr().err.splitlines()
    start = f"eventbridge-pipes apply: {template}: Resources.Pipe.Properties."
    assert [line.removeprefix(start) for line in lines] == [
        "RoleArn.Fn::Sub: use --stack, or --parameter AWS::AccountId=VALUE",
        "Source.Fn::GetAtt: Stream.Arn is not known: use --resource Stream.Arn=VALUE or --stack",
        "Target.Fn::Sub: use --stack, or --parameter AWS::AccountId=VALUE",
        "Target.Fn::Sub: Queue.QueueName is not known: use --resource Queue.QueueName=VALUE or "
        "--stack",
        "SourceParameters.KinesisStreamParameters.BatchSize.Ref: use --parameter Size=VALUE, or "
        "--stack",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prune"], "--prune needs --stack"),
        (["--parameter", "Sise=1"], "the template has no parameter Sise"),
        ([*GIVEN], "set AWS_ENDPOINT_URL_PIPES: on AWS, CloudFormation creates the pipes"),
        (["--parameter", "Size"], "'Size' is not KEY=VALUE. See eventbridge-pipes apply --help."),
        ([*GIVEN, "--resource", "Stream=s"], "Source.Fn::GetAtt: not an ARN: 's'"),
        (["--stak", "shop"], "unrecognized arguments"),
    ],
)
def test_wrong_options_are_one_line_and_exit_code_2(
    template: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = command.main([str(template), *options])
    except SystemExit as error:
        code = int(error.code or 0)
    (line,) = capsys.readouterr().err.splitlines()
    assert code == 2
    assert line.startswith("eventbridge-pipes apply: ")
    assert message in line


def test_the_pipes_of_the_emulator_itself_are_left_alone(
    template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert command.main([str(template), *GIVEN]) == 2
    assert capsys.readouterr().err == (
        "eventbridge-pipes apply: set AWS_ENDPOINT_URL_PIPES: http://127.0.0.1:1 is the emulator's "
        "own address\n"
    )


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AWS_DEFAULT_REGION", "", "no AWS Region: set AWS_DEFAULT_REGION"),
        ("AWS_ENDPOINT_URL", "nowhere", "the AWS settings cannot be used: Invalid endpoint"),
        ("AWS_PROFILE", "nobody", "the AWS settings cannot be used: The config profile (nobody)"),
    ],
)
def test_wrong_settings_are_one_line_and_exit_code_2(
    template: Path,
    variable: str,
    value: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert command.main([str(template), "--stack", "shop"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "is not a CloudFormation template: while parsing"),
        ("{", "is not a CloudFormation template: Expecting property name"),
        ("[]", "is not a CloudFormation template: it has no Resources"),
        ("", "it has no Resources"),
        ("Resources: []", "it has no Resources"),
        ("a: &a [*a]", "found unconstructable recursive node"),
        ("a: \0", "unacceptable character"),
        ("[" * 1000, "the template is nested too deeply"),
        ('{"a": ' * 50000, "the template is nested too deeply"),
        (TEMPLATE.replace("!GetAtt Stream.Arn", "[" * 150 + "]" * 150), "a list is not a value"),
    ],
)
def test_a_text_that_is_no_template_is_one_line_and_exit_code_2(
    template: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    template.write_text(text)
    assert command.main([str(template), *GIVEN[2:]]) == 2
    assert reason in capsys.readouterr().err.splitlines()[-1]


def test_a_file_that_cannot_be_read_is_one_line_and_exit_code_2(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = template.with_suffix(".zip")
    binary.write_bytes(b"PK\xff")
    for path, reason in (
        (template.parent, "cannot be read: Is a directory"),
        (template.parent / "none", "cannot be read: No such file or directory"),
        (binary, "is not UTF-8"),
    ):
        assert command.main([str(path)]) == 2
        assert capsys.readouterr().err == f"eventbridge-pipes apply: {path}: {reason}\n"


def test_a_stack_that_is_not_there_is_exit_code_2_and_no_answer_is_1(
    template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error: Exception

    class Failing:
        def __call__(self, service: str) -> Failing:
            return self

        def describe_stacks(self, **_: str) -> None:
            raise error

    monkeypatch.setattr(command, "_clients", lambda: (Failing(), REGION))
    answer = {"Error": {"Code": "ValidationError", "Message": "Stack \x1b[31m does not exist"}}
    error = ClientError(answer, "DescribeStacks")  # type: ignore[arg-type]
    assert command.main([str(template), "--stack", "shop"]) == 2
    error = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    assert command.main([str(template), "--stack", "shop"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "--stack shop: ValidationError: Stack \\x1b[31m does not exist" in first
    assert 'Could not connect to the endpoint URL: "http://127.0.0.1:1"' in second


@pytest.mark.parametrize(
    ("resource", "attribute", "value"),
    [
        (QUEUE, "", f"https://sqs.{REGION}.amazonaws.com/000000000000/q"),
        (QUEUE, "QueueUrl", f"https://sqs.{REGION}.amazonaws.com/000000000000/q"),
        (QUEUE, "QueueName", "q"),
        (QUEUE, "Arn", QUEUE),
        (STREAM, "", "s"),
        (TOPIC, "", TOPIC),
        (TOPIC, "TopicName", "t"),
        (FUNCTION, "", "f"),
        (f"{FUNCTION}:live", "", f"{FUNCTION}:live"),
        (STATE_MACHINE, "", STATE_MACHINE),
        (STATE_MACHINE, "Name", "m"),
        (TABLE_STREAM, "", "t"),
        (TABLE_STREAM, "StreamArn", TABLE_STREAM),
        (TABLE_STREAM, "Arn", arn("dynamodb", "table/t")),
        (arn("dynamodb", "table/t"), "StreamArn", None),
        (arn("events", "event-bus/shop/bus"), "", "shop/bus"),
        (BUS, "Name", "b"),
        (LOG_GROUP, "", "/g"),
        (LOG_GROUP, "Arn", f"{LOG_GROUP}:*"),
        ("arn:aws:iam::000000000000:role/a/path/r", "", "r"),
        ("arn:aws:iam::000000000000:role/a/path/r", "RoleId", None),
        ("arn:aws:s3:::bucket", "", "bucket"),
    ],
)
def test_an_arn_answers_for_a_resource_as_cloudformation_does(
    resource: str, attribute: str, value: str | None
) -> None:
    subject = "Attribute" if attribute else "Ref"
    assert given(Question(subject, "It", attribute), {"It": resource}) == value


def test_no_option_answers_for_an_export_of_the_same_name() -> None:
    assert given(Question("Export", "It"), {"It": QUEUE}) is None
