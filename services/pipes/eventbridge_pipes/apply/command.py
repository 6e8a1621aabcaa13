"""The command `eventbridge-pipes apply`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from eventbridge_pipes import faults
from eventbridge_pipes.apply.changes import (
    Change,
    PipeFailedError,
    carry_out,
    change,
    deletion,
    described,
    of_stack,
)
from eventbridge_pipes.apply.definition import Request, create_request
from eventbridge_pipes.apply.resolution import Question, Unknown, resolve
from eventbridge_pipes.apply.stack import Client, Stack, given, unknown
from eventbridge_pipes.apply.template import Template, TemplateError, read
from eventbridge_pipes.arns import Arn
from eventbridge_pipes.logs import escaped
from eventbridge_pipes.settings import Parser

DESCRIPTION = """\
Creates or updates the pipes of a CloudFormation, SAM or CDK template.
References are resolved against the stack that the emulator holds.
"""

EPILOG = """\
AWS_ENDPOINT_URL is the emulator's address, AWS_ENDPOINT_URL_PIPES that of the Pipes service.

exit codes: 0 done, 1 a call or a pipe failed, 2 not begun (an option, a setting or the template)
"""


class NotBegunError(Exception):
    """Nothing was changed; the arguments are lines that say why and what to do."""


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        return _apply(options)
    except NotBegunError as error:
        _complain(*error.args)
        return 2
    except NoCredentialsError:
        _complain("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        return 2
    except faults.CallError as error:
        _complain(faults.describe(error))
        return 1


def _parser() -> Parser:
    parser = Parser(
        prog="eventbridge-pipes apply",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("template", type=Path, metavar="TEMPLATE", help="YAML or JSON")
    parser.add_argument("--stack", metavar="NAME", help="the emulator's stack of this template")
    parser.add_argument(
        "--parameter",
        type=_pair,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a parameter, or a pseudo parameter such as AWS::AccountId; may be repeated",
    )
    parser.add_argument(
        "--resource",
        type=_resource,
        action="append",
        default=[],
        metavar="LOGICAL_ID=ARN",
        help="the ARN of a resource, or LOGICAL_ID.ATTRIBUTE=VALUE; may be repeated",
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="delete the pipes that this command made for the stack and that are not in the "
        "template any more",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only print the parameters of the CreatePipe calls"
    )
    return parser


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (key and separator):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _resource(text: str) -> tuple[str, str]:
    key, value = _pair(text)
    try:
        if "." not in key:
            Arn.parse(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
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
    if ".amazonaws.com" in pipes.meta.endpoint_url:
        raise NotBegunError("set AWS_ENDPOINT_URL_PIPES: on AWS, CloudFormation creates the pipes")
    if not requests:
        print(f"{options.template}: no pipes")
    done = _carried_out(pipes, _changes(pipes, requests))
    if options.prune and done:
        names = {request["Name"] for request in requests}
        old = [name for name in of_stack(pipes, options.stack) if name not in names]
        done = _carried_out(pipes, [deletion(name) for name in old])
    return 0 if done else 1


def _clients() -> tuple[Client, str | None]:
    """The clients, and the Region if there is one. Raise NotBegunError."""
    try:
        session = boto3.Session()
    except BotoCoreError as error:
        raise NotBegunError(f"the AWS settings cannot be used: {error}") from error
    config = Config(
        connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3, "mode": "standard"}
    )

    @cache
    def client(service: str) -> Any:
        if not session.region_name:
            raise NotBegunError("no AWS Region: set AWS_DEFAULT_REGION")
        try:
            return session.client(service, config=config)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:
            raise NotBegunError(f"the AWS settings cannot be used: {error}") from error

    return client, session.region_name


def _requests(options: argparse.Namespace, client: Client, region: str | None) -> list[Request]:
    """CreatePipe's parameters for each pipe of the template. Raises NotBegunError."""
    try:
        template = read(options.template)
        stack = _stack(client, options.stack) if options.stack else None
        parameters = _parameters(template, stack, dict(options.parameter), region)
        pipes, problems = _resolved(template, parameters, _answerer(options, stack))
    except TemplateError as error:
        raise NotBegunError(f"{options.template}: {error}") from error
    except RecursionError as error:
        raise NotBegunError(f"{options.template}: is nested too deeply") from error
    requests = []
    for logical_id, properties in pipes.items():
        request, wrong = create_request(logical_id, properties, options.stack)
        requests.append(request)
        problems += wrong
    if problems:
        raise NotBegunError(*(f"{options.template}: {problem}" for problem in problems))
    return requests


def _stack(client: Client, name: str) -> Stack:
    try:
        return Stack(client, name)
    except ClientError as error:
        raise NotBegunError(f"--stack {name}: {faults.describe(error)}") from error


def _parameters(
    template: Template, stack: Stack | None, given: Mapping[str, str], region: str | None
) -> Mapping[str, str]:
    declared = template.get("Parameters") or {}
    for name in given:
        if name not in declared and not name.startswith("AWS::"):
            raise TemplateError(f"has no parameter {name}")
    china = region is not None and region.startswith("cn-")
    known = {
        "AWS::Partition": "aws-cn" if china else "aws",
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
    }
    if region:
        known["AWS::Region"] = region
    return {**known, **(stack.parameters if stack else {}), **given}


def _answerer(
    options: argparse.Namespace, stack: Stack | None
) -> Callable[[Question], str | Unknown]:
    def answer(question: Question) -> str | Unknown:
        try:
            value = given(question, dict(options.resource))
            if value is None and stack:
                value = stack.answer(question)
        except ClientError as error:
            return Unknown(faults.describe(error))
        return unknown(question, options.stack) if value is None else value

    return answer


def _resolved(
    template: Template, parameters: Mapping[str, str], answer: Callable[[Question], str | Unknown]
) -> tuple[Mapping[str, Any], list[str]]:
    answers: dict[Question, str | Unknown] = {}
    while True:
        resolution = resolve(template, parameters, answers)
        if not resolution.questions:
            return resolution.pipes, resolution.problems
        answers |= {question: answer(question) for question in resolution.questions}


def _changes(pipes: Any, requests: Sequence[Request]) -> list[Change]:
    """Raises NotBegunError."""
    try:
        found = [change(request, described(pipes, request["Name"])) for request in requests]
    except PipeFailedError as error:
        raise NotBegunError(str(error)) from error
    refused = [each for each in found if isinstance(each, str)]
    if refused:
        raise NotBegunError(*refused)
    return [each for each in found if isinstance(each, Change)]


def _carried_out(pipes: Any, changes: Sequence[Change]) -> bool:
    """Whether all succeeded; each is printed with its result."""
    done = True
    for each in changes:
        try:
            carry_out(pipes, each)
            print(f"{escaped(each.name)}: {each.done}", flush=True)
        except PipeFailedError as error:
            _complain(f"{each.name}: {each.done}, but {error}")
            done = False
        except faults.CallError as error:
            _complain(f"{each.name}: not {each.done}: {faults.describe(error)}")
            done = False
    return done


def _complain(*lines: str) -> None:
    for line in lines:
        print(f"eventbridge-pipes apply: {escaped(line)}", file=sys.stderr)
