"""The command `eventbridge-pipes apply`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from eventbridge_pipes.apply import changes
from eventbridge_pipes.apply.definition import Request, create_request
from eventbridge_pipes.apply.resolution import Question, Unknown, resolve
from eventbridge_pipes.apply.stack import Client, Stack, given, unknown
from eventbridge_pipes.apply.template import NotBegunError, Template, read
from eventbridge_pipes.aws import errors
from eventbridge_pipes.log import escaped
from eventbridge_pipes.settings import Parser

DESCRIPTION = """\
Creates or updates the pipes of a CloudFormation, SAM or CDK template.
References are resolved against the stack that the emulator holds.
"""

EPILOG = """\
AWS_ENDPOINT_URL is the emulator's address, AWS_ENDPOINT_URL_PIPES that of the Pipes service.

exit codes: 0 done, 1 a call or a pipe failed, 2 not begun (an option, a setting or the template)
"""

_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard"})


def main(arguments: Sequence[str]) -> int:
    try:
        return _apply(_options(arguments))
    except NotBegunError as error:
        _complain(*error.args)
        return 2
    except KeyboardInterrupt:
        return 130
    except RecursionError:
        _complain("the template is nested too deeply")
        return 2
    except errors.CallError as error:
        _complain(errors.summary(error))
        return 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        prog="eventbridge-pipes apply",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("template", type=Path, metavar="TEMPLATE", help="YAML or JSON")
    add("--stack", metavar="NAME", help="the emulator's stack of this template")
    for name, form, meaning in (
        ("--parameter", "KEY=VALUE", "a parameter, or a pseudo parameter; repeatable"),
        ("--resource", "LOGICAL_ID=ARN", "a resource, or LOGICAL_ID.ATTRIBUTE=VALUE; repeatable"),
    ):
        add(name, type=_pair, action="append", default=[], metavar=form, help=meaning)
    add("--prune", action="store_true", help="delete pipes of the stack that the template lacks")
    add("--dry-run", action="store_true", help="only print the CreatePipe calls")
    return parser.parse_args(arguments)


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (key and separator):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _apply(options: argparse.Namespace) -> int:
    if options.prune and not options.stack:
        raise NotBegunError("--prune needs --stack")
    client, region = _clients()
    requests = _requests(options, client, region)
    if options.dry_run:
        calls = [{"CreatePipe": request} for request in requests]
        print(json.dumps(calls, indent=2, default=datetime.isoformat))
        return 0
    pipes = client("pipes")
    endpoint = pipes.meta.endpoint_url
    if any(aws in endpoint for aws in (".amazonaws.com", ".api.aws")):
        raise NotBegunError("set AWS_ENDPOINT_URL_PIPES: on AWS, CloudFormation creates the pipes")
    if endpoint == client("cloudformation").meta.endpoint_url:
        raise NotBegunError(f"set AWS_ENDPOINT_URL_PIPES: {endpoint} is the emulator's own address")
    if not requests:
        print(f"{escaped(str(options.template))}: no pipes")
    done = _carried_out(pipes, _changes(pipes, requests))
    if options.prune and done:
        names = {request["Name"] for request in requests}
        old = [name for name in changes.of_stack(pipes, options.stack) if name not in names]
        done = _carried_out(pipes, map(changes.deletion, old))
    return 0 if done else 1


def _clients() -> tuple[Client, str | None]:
    """The clients, and the Region if there is one."""
    try:
        session = boto3.Session()
    except BotoCoreError as error:
        raise NotBegunError(f"the AWS settings cannot be used: {error}") from error

    @cache
    def client(service: str) -> Any:
        if not session.region_name:
            raise NotBegunError("no AWS Region: set AWS_DEFAULT_REGION")
        if session.get_credentials() is None:
            raise NotBegunError("no AWS credentials: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY")
        try:
            return session.client(service, config=_CONFIG)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:
            raise NotBegunError(f"the AWS settings cannot be used: {error}") from error

    return client, session.region_name


def _requests(options: argparse.Namespace, client: Client, region: str | None) -> list[Request]:
    """CreatePipe's parameters for each pipe of the template."""
    template = read(options.template)
    try:
        stack = Stack(client, options.stack) if options.stack else None
    except ClientError as error:
        raise NotBegunError(f"--stack {options.stack}: {errors.summary(error)}") from error
    parameters = _parameters(template, stack, dict(options.parameter), region)
    answers: dict[Question, str | Unknown] = {}
    while (found := resolve(template, parameters, answers)).questions:
        for question in found.questions:
            answers[question] = _answer(question, options, stack)
    made = [create_request(name, each, options.stack) for name, each in found.pipes.items()]
    problems = [*found.problems, *(problem for _, wrong in made for problem in wrong)]
    if problems and stack and not stack.status.endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")):
        problems.insert(0, f"the stack {options.stack} is {stack.status}")
    if problems:
        raise NotBegunError(*(f"{options.template}: {problem}" for problem in problems))
    return [request for request, _ in made]


def _parameters(
    template: Template, stack: Stack | None, given: Mapping[str, str], region: str | None
) -> Mapping[str, str]:
    for name in given:
        if name not in (template.get("Parameters") or {}) and not name.startswith("AWS::"):
            raise NotBegunError(f"the template has no parameter {name}")
    china = (region or "").startswith("cn-")
    known = {
        "AWS::Partition": "aws-cn" if china else "aws",
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
        **({"AWS::Region": region} if region else {}),
    }
    return {**known, **(stack.parameters if stack else {}), **given}


def _answer(question: Question, options: argparse.Namespace, stack: Stack | None) -> str | Unknown:
    try:
        value = given(question, dict(options.resource))
        if value is None and stack:
            value = stack.answer(question)
    except (ClientError, ValueError) as error:
        return Unknown(errors.summary(error))
    return unknown(question, options.stack) if value is None else value


def _changes(pipes: Any, requests: Sequence[Request]) -> list[changes.Change]:
    found, refused = [], []
    for request in requests:
        try:
            found.append(changes.change(request, changes.described(pipes, request["Name"])))
        except changes.PipeFailedError as error:
            refused.append(f"{request['Name']}: {error}")
    if refused:
        raise NotBegunError(*refused)
    return found


def _carried_out(pipes: Any, planned: Iterable[changes.Change]) -> bool:
    """Whether all succeeded; each is printed with its result."""
    done = True
    for each in planned:
        try:
            changes.carry_out(pipes, each)
            print(f"{escaped(each.name)}: {each.done}", flush=True)
        except (changes.PipeFailedError, *errors.CallError) as error:
            _complain(f"{each.name}: not {each.done}: {errors.summary(error)}")
            done = False
    return done


def _complain(*lines: str) -> None:
    for line in lines:
        print(f"eventbridge-pipes apply: {escaped(line)}", file=sys.stderr)
