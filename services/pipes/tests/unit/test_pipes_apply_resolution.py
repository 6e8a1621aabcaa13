from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.apply.definition import create_request
from eventbridge_pipes.apply.resolution import Answers, Question, Resolution, Unknown, resolve
from eventbridge_pipes.apply.template import parse
from hostile_events import TEXTS

QUEUE_ARN = Question("Attribute", "Queue", "Arn")
ANSWERS = {
    QUEUE_ARN: "arn:queue",
    Question("Attribute", "Nested", "Outputs.Queue"): "arn:nested",
    Question("Ref", "Queue"): "https://queue",
    Question("Ref", "What"): "Queue",
    Question("Ref", "what"): "queue",
    Question("Export", "shop-queue"): "arn:exported",
    Question("Parameter", "/shop/queue:2"): "arn:stored",
}
SECTIONS = """
Parameters:
  Stage: {Type: String, Default: dev}
  Size: {Type: Number, Default: 5}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
  Stored: {Type: AWS::SSM::Parameter::Value<String>, Default: /shop/queue}
  Missing: {Type: String}
Mappings:
  Sizes: {dev: {size: 1, names: [x, y]}}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, !Condition IsProd]
  Either: !Or [!Condition IsDev, !Condition IsProd]
  Circle: !Not [!Condition Circle]
  Broken: !Equals [one]
"""


def resolved(properties: str, answers: Answers = ANSWERS, **parameters: str) -> Resolution:
    """Of one pipe whose properties are the YAML text."""
    template = parse(f"{SECTIONS}\nResources: {{Pipe: {{Type: AWS::Pipes::Pipe}}}}")
    template["Resources"]["Pipe"]["Properties"] = parse(f"Resources: {{P: {properties}}}")[
        "Resources"
    ]["P"]
    return resolve(template, {"AWS::Region": "eu-west-1", **parameters}, answers)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref Size", "5"),
        ("!Ref Names", ["a", "b"]),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref Queue", "https://queue"),
        ("!GetAtt Queue.Arn", "arn:queue"),
        ("!GetAtt [Queue, Arn]", "arn:queue"),
        ("!GetAtt Nested.Outputs.Queue", "arn:nested"),
        ("!GetAtt [!Ref What, Arn]", "arn:queue"),
        ("!Sub '${Stage}-${AWS::Region}-${Queue}'", "dev-eu-west-1-https://queue"),
        ("!Sub '${Queue.Arn} ${!Stage} $ {}'", "arn:queue ${Stage} $ {}"),
        ("!Sub ['${A}${Stage}', {A: !Ref Size}]", "5dev"),
        ("!Sub ['${Stage}', {Stage: mine}]", "mine"),
        ("!Sub ['${Ref}', {Ref: Missing}]", "Missing"),
        ("!Join ['-', [a, !Ref Stage, !Ref AWS::NoValue]]", "a-dev"),
        ("!Join ['+', !Ref Names]", "a+b"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select ['0', !Split ['|', 'x|y']]", "x"),
        ("!Split [',', 'a,b,']", ["a", "b", ""]),
        ("!FindInMap [Sizes, !Ref Stage, size]", "1"),
        ("!FindInMap [Sizes, dev, names]", ["x", "y"]),
        ("!Base64 a", "YQ=="),
        ("!ImportValue shop-queue", "arn:exported"),
        ("{'Fn::ImportValue': !Sub 'shop-${what}'}", "arn:exported"),
        ("!If [IsDev, a, !Ref Missing]", "a"),
        ("!If [Both, a, b]", "b"),
        ("!If [Either, a, b]", "a"),
        ("[a, !If [IsProd, b, !Ref AWS::NoValue], c]", ["a", "c"]),
        ("'x {{resolve:ssm:/shop/queue:2}} y'", "x arn:stored y"),
        ("!Sub '{{resolve:ssm:/shop/${what}:2}}'", "arn:stored"),
        ("{A: !Ref AWS::NoValue, B: 007}", {"B": "007"}),
        ("2026-01-31", "2026-01-31"),
        ("{Reference: a}", {"Reference": "a"}),
    ],
)
def test_a_function_gives_what_cloudformation_gives(node: str, value: Any) -> None:
    resolution = resolved(f"{{Value: {node}}}")
    assert resolution.pipes == {"Pipe": {"Value": value}}
    assert resolution.problems == []
    assert resolution.questions == []


@pytest.mark.parametrize(
    ("node", "place", "reason"),
    [
        ("!Ref Missing", "Ref", "use --parameter Missing=VALUE, or --stack"),
        ("!Ref Stored", "Ref", "use --parameter Stored=VALUE, or --stack"),
        ("!Ref AWS::AccountId", "Ref", "use --stack, or --parameter AWS::AccountId=VALUE"),
        ("!Join ['', [a, !GetAtt Gone.Arn]]", "Fn::Join.1.1.Fn::GetAtt", "there is none"),
        ("!Sub '${Names}'", "Fn::Sub", "${Names} is no text"),
        ("!FindInMap [Sizes, prod, size]", "Fn::FindInMap", "the mapping Sizes has no prod.size"),
        (
            "!Select [2, [a, b]]",
            "Fn::Select",
            "this function, or this form of it, is not supported",
        ),
        ("!Cidr [a, 1]", "Fn::Cidr", "this function, or this form of it, is not supported"),
        ("!If [Nothing, a, b]", "Fn::If", "there is no condition Nothing"),
        ("'{{resolve:secretsmanager:a}}'", "", "only those of ssm are"),
    ],
)
def test_what_cannot_be_resolved_is_named_with_its_path(node: str, place: str, reason: str) -> None:
    gone = {Question("Attribute", "Gone", "Arn"): Unknown("there is none")}
    (problem,) = resolved(f"{{A: [{{B: {node}}}]}}", gone).problems
    assert problem.startswith(f"Resources.Pipe.Properties.A.0.B.{place}".removesuffix(".") + ": ")
    assert problem.endswith(reason)


def test_all_problems_come_together_those_of_conditions_at_their_own_path() -> None:
    found = resolved("{A: !If [Circle, a, b], B: !If [Broken, a, b], C: !Ref Missing}").problems
    assert [problem.partition(": ")[0] for problem in found] == [
        "Conditions.Circle.Fn::Not",
        "Conditions.Broken",
        "Resources.Pipe.Properties.C.Ref",
    ]


def test_only_the_chosen_branch_is_asked_about() -> None:
    branches = "{A: !If [IsDev, !GetAtt Dev.Arn, !GetAtt Prod.Arn]}"
    assert resolved(branches).questions == [Question("Attribute", "Dev", "Arn")]
    assert resolved(branches, Stage="prod").questions == [Question("Attribute", "Prod", "Arn")]


def test_a_question_that_depends_on_an_answer_comes_after_it() -> None:
    name = Question("Ref", "Name")
    reference = "{A: !Sub '{{resolve:ssm:/${Name}}}'}"
    assert resolved(reference, {}).questions == [name]
    assert resolved(reference, {name: "a"}).questions == [Question("Parameter", "/a")]


def test_a_parameter_of_systems_manager_has_the_value_that_the_stack_has() -> None:
    assert resolved("{A: !Ref Stored}", Stored="arn:stored").pipes == {"Pipe": {"A": "arn:stored"}}


@pytest.mark.parametrize(
    ("resources", "problem"),
    [
        ("{Fn::ForEach::Pipes: [Name, [a, b], {}]}", "Resources.Fn::ForEach::Pipes: "),
        ("{Fn::Transform: {Name: AWS::Include}}", "Resources.Fn::Transform: "),
        ("{Pipe: {Type: AWS::Pipes::Pipe, Condition: No}}", "Resources.Pipe.Condition: "),
    ],
)
def test_a_resource_that_may_hide_a_pipe_is_a_problem(resources: str, problem: str) -> None:
    resolution = resolve(parse(f"Resources: {resources}"), {}, {})
    assert [line[: len(problem)] for line in resolution.problems] == [problem]
    assert resolution.pipes == {}


FUNCTIONS = ["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::If"]
FUNCTIONS += ["Fn::FindInMap", "Fn::Base64", "Fn::ImportValue", "Fn::Equals", "Condition"]
FUNCTIONS += ["Tags", "SourceParameters"]
NAMES = st.sampled_from(["Stage", "Names", "IsDev", "Circle", "Sizes", "dev", "size", "Queue.Arn"])
NODES = st.recursive(
    NAMES | TEXTS | st.booleans() | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FUNCTIONS), inner, min_size=1, max_size=2)
    ),
    max_leaves=12,
)


@given(NODES)
def test_no_template_makes_it_fail(node: Any) -> None:
    """It has a value or a question for each pipe, or a problem; and asks nothing twice."""
    sections = parse(f"{SECTIONS}\nResources: {{}}")
    text = json.dumps({"Resources": {"P": {"Type": "AWS::Pipes::Pipe", "Properties": node}}})
    template = sections | {"Resources": parse(text)["Resources"]}
    template["Conditions"] = sections["Conditions"] | {"Odd": template["Resources"]["P"]}
    first = resolve(template, {}, {})
    second = resolve(template, {}, {question: "a" for question in first.questions})
    assert not set(first.questions) & set(second.questions)
    for properties in (*first.pipes.values(), *second.pipes.values()):
        create_request("P", properties, "shop")


@given(
    st.recursive(TEXTS | st.booleans() | st.integers(), lambda inner: st.lists(inner), max_leaves=9)
)
def test_json_and_yaml_are_read_alike(value: Any) -> None:
    template = {"Resources": {"Pipe": {"Value": value}}}
    as_yaml = yaml.safe_dump(template, allow_unicode=False)
    assert parse(as_yaml) == parse(json.dumps(template))
