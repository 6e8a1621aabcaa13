"""`eventbridge-pipes apply` beside MiniStack, with stacks that its CloudFormation made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded import ministack
from eventbridge_pipes.apply import command
from eventbridge_pipes.apply.template import PIPE
from pages import ROOT
from pipes_requests import arn
from pipes_service import PipesProcess, in_state, pipes_process, unique
from servers import AwsClient
from waiting import eventually

TEMPLATES = ROOT / "services/pipes/tests/unit/data/templates"

LACKING = ("prometheus_client", "starlette", "uvicorn")
"""What the service needs, and an emulator's image need not have."""

PIPELINE = """
Parameters:
  Size: {Type: Number, Default: 10}
  WithPipe: {Type: String, Default: "yes"}
Conditions: {WithPipe: !Equals [!Ref WithPipe, "yes"]}
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}
  Queue: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Principal: {Service: pipes.amazonaws.com}, Action: sts:AssumeRole}
  Pipe:
    Type: AWS::Pipes::Pipe
    Condition: WithPipe
    Properties:
      RoleArn: !GetAtt Role.Arn
      Source: !GetAtt Stream.Arn
      SourceParameters:
        KinesisStreamParameters: {StartingPosition: TRIM_HORIZON, BatchSize: !Ref Size}
      Target: !GetAtt Queue.Arn
      TargetParameters: {InputTemplate: '{"from": "${AWS::StackName}", "word": <$.data>}'}
"""
"""A condition, so that an emulator need not know pipes. The last text is no Fn::Sub: it stays."""


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, emulator: str, pipes: PipesProcess) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": emulator,
        "AWS_ENDPOINT_URL_PIPES": pipes.url,
        "AWS_DEFAULT_REGION": ministack.REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def make_stack(aws: AwsClient) -> Iterator[Callable[[str, str], dict[str, Any]]]:
    """Makes a stack from a template's text; returns its resources, by logical id."""
    cloudformation, made = aws("cloudformation"), []

    def make(name: str, text: str) -> dict[str, Any]:
        cloudformation.create_stack(
            StackName=name, TemplateBody=text, Capabilities=["CAPABILITY_IAM"]
        )
        made.append(name)

        def status() -> bool:
            (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
            assert not stack["StackStatus"].endswith(("FAILED", "ROLLBACK_COMPLETE")), stack
            return bool(stack["StackStatus"] == "CREATE_COMPLETE")

        eventually(status)
        answer = cloudformation.describe_stack_resources(StackName=name)
        return {each["LogicalResourceId"]: each for each in answer["StackResources"]}

    yield make
    for name in reversed(made):
        cloudformation.delete_stack(StackName=name)


Apply = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def apply(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Apply:
    """Returns the exit code for a template's text, and the lines."""

    def apply(text: str, *options: str) -> tuple[int, list[str]]:
        path = tmp_path / "template.yaml"
        path.write_text(text)
        code = command.main([str(path), *options])
        printed = capsys.readouterr()
        return code, (printed.out + printed.err.replace(f"{path}: ", "")).splitlines()

    return apply


def test_a_stacks_pipe_is_created_moves_records_is_updated_and_deleted(
    make_stack: Callable[[str, str], dict[str, Any]],
    apply: Apply,
    aws: AwsClient,
    pipes: PipesProcess,
) -> None:
    stack = unique("test_apply")
    resources = make_stack(stack, PIPELINE)
    name, client = f"{stack}-Pipe", pipes.client()
    stream, queue = (resources[each]["PhysicalResourceId"] for each in ("Stream", "Queue"))

    assert apply(PIPELINE, "--stack", stack) == (0, [f"{name}: created"])
    aws("kinesis").put_record(StreamName=stream, PartitionKey="a", Data=b'"hello"')
    (message,) = eventually(lambda: aws("sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(message["Body"]) == {"from": "${AWS::StackName}", "word": "hello"}

    assert apply(PIPELINE, "--stack", stack, "--prune") == (0, [f"{name}: unchanged"])
    larger = PIPELINE.replace("BatchSize: !Ref Size", "BatchSize: 5")
    assert apply(larger, "--stack", stack) == (0, [f"{name}: updated"])
    assert apply(larger, "--stack", stack) == (0, [f"{name}: unchanged"])
    source = in_state(client, name, "RUNNING")["SourceParameters"]
    assert source["KinesisStreamParameters"]["BatchSize"] == 5

    code, (line,) = apply(PIPELINE.replace("TRIM_HORIZON", "LATEST"), "--stack", stack)
    assert code == 2
    assert "StartingPosition: give it another Name, or delete it" in line
    code, (line,) = apply(PIPELINE, "--stack", stack, "--parameter", "Size=11")
    assert code == 1
    assert line.startswith(f"eventbridge-pipes apply: {name}: not updated: ValidationException: ")

    other = pipes.client().create_pipe(
        Name=f"{name}-by-hand",
        **{k: v for k, v in in_state(client, name, "RUNNING").items() if k in ("Source", "Target")},
        RoleArn=arn("iam", "role/r", region=""),
        SourceParameters=source,
    )
    without = ("--stack", stack, "--parameter", "WithPipe=no")
    assert apply(PIPELINE, *without)[0] == 0
    in_state(client, name, "RUNNING")
    code, lines = apply(PIPELINE, *without, "--prune")
    assert (code, lines[-1]) == (0, f"{name}: deleted")
    with pytest.raises(client.exceptions.NotFoundException):
        client.describe_pipe(Name=name)
    in_state(client, other["Name"], "RUNNING")
    client.delete_pipe(Name=other["Name"])


def test_a_pipe_that_fails_is_said_with_the_services_reason(
    apply: Apply, pipes: PipesProcess
) -> None:
    name = unique("test_failed")
    gone = arn("sqs", f"{name}-gone")
    text = PIPELINE.replace("RoleArn:", f"Name: {name}\n      RoleArn:")
    options = ["--resource", f"Stream={arn('kinesis', f'stream/{name}')}"]
    options += [
        "--resource",
        f"Queue={gone}",
        "--resource",
        f"Role={arn('iam', 'role/r', region='')}",
    ]
    code, (line,) = apply(text, *options)
    assert code == 1
    assert f"{name}: not created: it is CREATE_FAILED: The source stream {name}" in line.replace(
        arn("kinesis", "stream/"), ""
    )
    pipes.client().delete_pipe(Name=name)


def test_it_runs_where_only_boto3_and_pyyaml_are_installed(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(PIPELINE)
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({LACKING})); "
        "from eventbridge_pipes.__main__ import main; sys.exit(main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "apply", path, "--parameter", "WithPipe=no", "--dry-run"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")


STORED = {"/shop/bus": arn("events", "event-bus/shop"), "/shop/source": "shop"}
STORED |= {"/shop/cluster-arn": arn("ecs", "cluster/shop")}
EXPORTS = {f"{each}-function-arn": arn("lambda", f"function:{each}") for each in ("shop", "test")}


def test_references_are_resolved_as_the_emulators_cloudformation_resolves_them(
    make_stack: Callable[[str, str], dict[str, Any]],
    aws: AwsClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """MiniStack keeps these members of a template's pipes; it knows no API destinations, no SAM."""
    for name, value in STORED.items():
        aws("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    outputs = {
        f"Output{number}": {"Value": value, "Export": {"Name": name}}
        for number, (name, value) in enumerate(EXPORTS.items())
    }
    queue = {"Queue": {"Type": "AWS::SQS::Queue"}}
    make_stack("Exports", json.dumps({"Resources": queue, "Outputs": outputs}))
    compared = 0
    for name in ("cdk/storage", "cdk/imports", "cdk/streams", "cdk/queues", "cdk/plain",
                 "by_hand/short", "by_hand/staged", "by_hand/long"):  # fmt: skip
        (path,) = TEMPLATES.glob(f"{name}.*")
        stack = path.stem.capitalize()
        resources = make_stack(stack, path.read_text())
        assert command.main([str(path), "--stack", stack, "--dry-run"]) == 0
        calls = [call["CreatePipe"] for call in json.loads(capsys.readouterr().out)]
        theirs = [
            aws("pipes").describe_pipe(Name=each["PhysicalResourceId"])
            for each in resources.values()
            if each["ResourceType"] == PIPE
        ]
        assert sorted(map(references, calls)) == sorted(map(references, theirs))
        compared += len(calls)
    assert compared == 27


def references(pipe: dict[str, Any]) -> tuple[str, ...]:
    return tuple(pipe.get(member, "") for member in ("Source", "Target", "RoleArn", "Description"))
