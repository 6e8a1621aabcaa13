"""The shapes of botocore's model: values that fit them, places in them, and what does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from botocore.loaders import Loader
from botocore.model import ServiceModel

MODEL = ServiceModel(Loader().load_service_model("pipes", "service-2"), "pipes")

Step = str
ITEM, KEY, VALUE = "(item)", "(key)", "(value)"
"""Steps that are no member's name: into a list, to a map's key, and to the value at `a_key`."""

A_KEY = "a_key"

ARN = "arn:aws:s3:::b"
PATTERNED = {
    "Arn": (ARN, "b"),
    "ArnOrJsonPath": ("$.a.b[*]", "$.a b"),
    "ArnOrUrl": ("smk://host.example:9092", "https://example.com"),
    "CloudwatchLogGroupArn": ("arn:aws:logs:us-east-1:000000000000:log-group:/g:*", ARN),
    "EndpointString": ("host.example:9092", "host.example"),
    "EventBridgeEndpointId": ("abcde.veo", "abcde"),
    "EventBridgeEventSource": ("orders", ""),
    "FirehoseArn": ("arn:aws:firehose:us-east-1:000000000000:deliverystream/d", ARN),
    "HeaderKey": ("X-Order", "X Order"),
    "HeaderValue": ("$.a", "\x00"),
    "JsonPath": ("$.a", "a"),
    "KafkaTopicName": ("topic", ".topic"),
    "KmsKeyIdentifier": ("", "a b"),
    "MQBrokerQueueName": ("any\nname", None),
    "OptionalArn": ("", "b"),
    "PathParameter": ("a", " "),
    "PipeArn": ("arn:aws:pipes:us-east-1:000000000000:pipe/p", "pipe/p"),
    "PipeDescription": ("", "a\nb"),
    "PipeName": ("p", "a b"),
    "QueryStringKey": ("a", "\x00"),
    "QueryStringValue": ("a", "\x00"),
    "RoleArn": ("arn:aws:iam::000000000000:role/r", ARN),
    "S3LogDestinationParametersBucketOwnerString": ("000000000000", "0"),
    "SageMakerPipelineParameterName": ("a-1", "-a"),
    "SecretManagerArn": ("arn:aws:secretsmanager:us-east-1:000000000000:secret:s", ARN),
    "SecretManagerArnOrJsonPath": ("$.a", ARN),
    "SecurityGroup": ("$.a", "group"),
    "SecurityGroupId": ("sg-1", "$.a"),
    "Subnet": ("subnet-1", "net"),
    "SubnetId": ("subnet-1", "$.a"),
    "URI": ("a", "a b"),
}
"""By shape: a text that its pattern matches, and one that it does not (None: it matches all)."""


class Place(NamedTuple):
    """One place in the input of an operation."""

    operation: str
    steps: tuple[Step, ...]
    shape: Any

    @property
    def field(self) -> str:
        """The place as a violation names it; the key of a map is named by its map."""
        parts = {ITEM: ["1", "member"], KEY: [], VALUE: [A_KEY, "member"]}
        names = [parts.get(step, [step[:1].lower() + step[1:]]) for step in self.steps]
        return ".".join(part for name in names for part in name)

    def request(self, value: Any) -> Any:
        """An input with `value` at this place, and beside it nothing but what is required."""
        return _with(MODEL.operation_model(self.operation).input_shape, self.steps, value)


def places(operation: str) -> Iterator[Place]:
    """Every place in the input of `operation`, at any depth."""

    def visit(shape: Any, steps: tuple[Step, ...]) -> Iterator[Place]:
        yield Place(operation, steps, shape)
        for step, inner in _inside(shape):
            yield from visit(inner, (*steps, step))

    yield from visit(MODEL.operation_model(operation).input_shape, ())


def _inside(shape: Any) -> Iterator[tuple[Step, Any]]:
    if shape.type_name == "structure":
        yield from shape.members.items()
    elif shape.type_name == "list":
        yield ITEM, shape.member
    elif shape.type_name == "map":
        yield KEY, shape.key
        yield VALUE, shape.value


def _with(shape: Any, steps: tuple[Step, ...], value: Any) -> Any:
    if not steps:
        return value
    step, *rest = steps
    inner = _with(dict(_inside(shape))[step], tuple(rest), value)
    if step == ITEM:
        return [inner]
    if step == KEY:
        return {inner: sample(shape.value)}
    if step == VALUE:
        return {A_KEY: inner}
    beside = {} if shape.metadata.get("union") else sample(shape)
    return {**beside, step: inner}


def sample(shape: Any) -> Any:
    """A small value that satisfies `shape`; of a structure, the required members."""
    least = shape.metadata.get("min", 0)
    match shape.type_name:
        case "structure":
            named = shape.metadata.get("required") or list(shape.members)[: _is_union(shape)]
            return {name: sample(shape.members[name]) for name in named}
        case "list":
            return [sample(shape.member)] * least
        case "map":
            return {A_KEY: sample(shape.value)} if least else {}
        case "integer":
            return max(least, 1)
        case "boolean":
            return True
        case "timestamp":
            return 1.0
    if "enum" in shape.metadata:
        return shape.metadata["enum"][0]
    return PATTERNED[shape.name][0] if "pattern" in shape.metadata else "a" * least


def _is_union(shape: Any) -> bool:
    return bool(shape.metadata.get("union"))


def of_size(shape: Any, size: int) -> Any:
    """A value whose length, or itself, is `size`; a text may break the pattern of its shape."""
    match shape.type_name:
        case "integer":
            return size
        case "string":
            return "a" * size
        case "list":
            return [sample(shape.member)] * size
        case "map":
            return {f"key_{number}": sample(shape.value) for number in range(size)}
    raise AssertionError(shape.type_name)


_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
}


def misfits(shape: Any, answer: Any, path: str = "") -> Iterator[str]:
    """What of an answer, as it is on the wire, does not fit `shape`; unknown members do not."""
    limits = shape.metadata
    if not isinstance(answer, _TYPES[shape.type_name]):
        yield f"{path}: {answer!r} is no {shape.type_name}"
        return
    value: Any = answer
    # Not of maps: AWS itself answers with a map of no tags, of which its model wants one.
    size = len(value) if shape.type_name in ("string", "list") else None
    if size is not None and not limits.get("min", 0) <= size <= limits.get("max", size):
        yield f"{path}: {size} is no length for {shape.name}"
    if value not in limits.get("enum", [value]):
        yield f"{path}: {value!r} is not in the enum {shape.name}"
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value, re.ASCII):
        yield f"{path}: {value!r} is not of the pattern of {shape.name}"
    yield from _misfits_inside(shape, value, path)


def _misfits_inside(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            members = {m.serialization.get("name", n): m for n, m in shape.members.items()}
            for name in shape.metadata.get("required", ()):
                if name not in value:
                    yield f"{path}.{name}: is required"
            for name, item in value.items():
                if name in members:
                    yield from misfits(members[name], item, f"{path}.{name}")
                else:
                    yield f"{path}.{name}: is not in the model"
        case "list":
            for number, item in enumerate(value):
                yield from misfits(shape.member, item, f"{path}[{number}]")
        case "map":
            for key, item in value.items():
                yield from misfits(shape.key, key, f"{path}.{key}")
                yield from misfits(shape.value, item, f"{path}.{key}")
