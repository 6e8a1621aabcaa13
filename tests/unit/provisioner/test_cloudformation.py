"""The CloudFormation template: sound, and of everything that is described."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from inventory_cli.template_yaml import written

from provisioner import Clients, Names, Options
from provisioner.account import Account
from provisioner.cloudformation import ABSENT, MAPPINGS, UnmappedKindError, code_key, template
from provisioner.cloudformation.mappings import entries
from provisioner.cloudformation.references import DeployedAccount, References
from provisioner.description import description
from provisioner.kinds import all_kinds
from provisioner.monitors import Body, Metric
from provisioner.policies import Policy
from provisioner.resources import Key, Resource

CODE_HASH = base64.b64encode(bytes(32)).decode()
ACCOUNT = Account("123456789012", "eu-west-1")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
EVERYTHING_ON = Options(
    kms_key=KEY, point_in_time_recovery=True, deletion_protection=True, low_stock=5
)
SETTINGS = {
    "as it comes": (Names(), Options()),
    "everything on": (Names.from_env({"STAGE": "dev", "TABLE_NAME": "rows"}), EVERYTHING_ON),
}
MAPPINGS_FILE = "init/provisioner/cloudformation (data.py, compute.py)"


@pytest.fixture(params=list(SETTINGS))
def settings(request: pytest.FixtureRequest) -> tuple[Names, Options]:
    return SETTINGS[request.param]


def test_cfn_lint_has_nothing_to_say(settings: tuple[Names, Options]) -> None:
    assert warnings(template(*settings, CODE_HASH)) == []


def test_cfn_lint_would_tell_a_mistake() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "long"}}
    [line] = warnings({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Queue": queue}})
    assert "'long' is not of type 'integer'" in line


def warnings(whole: Mapping[str, Any]) -> list[str]:
    """Errors and warnings of cfn-lint, which has hints for information as well."""
    from cfnlint.api import lint  # it takes seconds to import, and each worker collects this file
    from cfnlint.config import ManualArgs

    return [
        str(match)
        for match in lint(written(dict(whole)), config=ManualArgs(regions=[ACCOUNT.region]))
        if match.rule.severity != "informational"
    ]


def test_it_fits_into_the_request_that_deploys_it(settings: tuple[Names, Options]) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
    assert len(written(template(*settings, CODE_HASH)).encode()) < 51_200


def test_it_is_the_same_each_time_and_names_no_account(settings: tuple[Names, Options]) -> None:
    once, again = (written(template(*settings, CODE_HASH)) for _ in range(2))
    assert once == again
    assert ACCOUNT.id not in once.replace(KEY, "")


def test_the_short_forms_of_the_yaml_mean_what_the_json_says() -> None:
    class Loader(yaml.SafeLoader):
        pass

    def long_form(loader: Loader, suffix: str, node: yaml.ScalarNode) -> dict[str, Any]:
        name = suffix if suffix == "Ref" else f"Fn::{suffix}"
        return {name: loader.construct_scalar(node)}

    Loader.add_multi_constructor("!", long_form)
    whole = template(Names(), Options(), CODE_HASH)
    assert yaml.load(written(whole), Loader) == json.loads(json.dumps(whole))  # noqa: S506


def test_other_code_has_another_key() -> None:
    other = base64.b64encode(bytes([1] * 32)).decode()
    assert code_key(other) != code_key(CODE_HASH)
    assert template(Names(), Options(), other)["Parameters"]["CodeKey"]["Default"] == code_key(
        other
    )


def test_a_resource_keeps_its_logical_id_whatever_it_is_called() -> None:
    ids = [set(template(*each, CODE_HASH)["Resources"]) for each in SETTINGS.values()]
    assert ids[0] == ids[1]


def test_a_protected_table_outlives_its_stack() -> None:
    """All others are deleted with it, as by `destroy`."""
    bodies = template(*SETTINGS["everything on"], CODE_HASH)["Resources"]
    retained = [key for key, body in bodies.items() if body.get("DeletionPolicy") == "Retain"]
    assert retained == ["Table"]


# --- nothing of the description is left out -------------------------------------------------------


def test_every_kind_that_the_provisioner_makes_is_mapped() -> None:
    clients = Clients(**{field.name: MagicMock() for field in dataclasses.fields(Clients)})
    unmapped = all_kinds(clients, b"").keys() - MAPPINGS.keys()
    assert not unmapped, (
        f"{sorted(kind.__name__ for kind in unmapped)}: write a mapping in {MAPPINGS_FILE} "
        "and enter it in MAPPINGS of mappings.py"
    )


def test_a_kind_without_a_mapping_is_told_apart() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Novelty(Resource):
        kind = "novelty"

    with pytest.raises(UnmappedKindError, match=r"Novelty has no mapping: write one beside"):
        list(entries(Novelty(name="n", arn="a"), References([], Names())))


def test_every_field_of_every_kind_shows_in_the_template() -> None:
    """Another value makes another template; what does not is in ABSENT, with the reason."""
    shown: dict[tuple[type[Resource], str], bool] = defaultdict(bool)
    for names, options in SETTINGS.values():
        resources = description(names, options, DeployedAccount(), CODE_HASH)
        references = References(resources, names)
        for resource in resources:
            before = list(entries(resource, references))
            for field in dataclasses.fields(resource):
                if _absent(type(resource), field.name):
                    continue
                other = dataclasses.replace(resource, **{field.name: _other(resource, field)})
                shown[type(resource), field.name] |= (
                    _entries_or_refusal(other, references) != before
                )
    silent = [f"{kind.__name__}.{field}" for (kind, field), does in shown.items() if not does]
    assert not silent, (
        f"{', '.join(silent)}: map it in {MAPPINGS_FILE}, "
        "or say in ABSENT of mappings.py why it is in no template"
    )


def test_what_is_said_to_be_absent_is_a_field() -> None:
    for kind, name in ABSENT:
        assert name in {field.name for field in dataclasses.fields(kind)}


def _absent(kind: type[Resource], field: str) -> bool:
    return any((each, field) in ABSENT for each in kind.__mro__)


def _entries_or_refusal(resource: Resource, references: References) -> Any:
    """A reference to what is not there is not written without a word either."""
    try:
        return list(entries(resource, references))
    except KeyError as error:
        return error


def _other(resource: Resource, field: dataclasses.Field[Any]) -> Any:
    value = getattr(resource, field.name)
    for kind, change in OTHER_VALUES.items():
        if isinstance(value, kind):
            return change(value)
    if value is None:
        return 1 if "int" in str(field.type) else "other"
    pytest.fail(f"{field.name} is {value!r}: say in OTHER_VALUES what another value of it is")


OTHER_VALUES: dict[Any, Callable[[Any], Any]] = {
    bool: lambda flag: not flag,
    int: lambda number: number + 1,
    float: lambda number: number + 1,
    str: lambda text: f"{text}x",
    Policy: lambda policy: Policy.of(*policy.statements, {"Effect": "Deny"}),
    Key: lambda key: Key((*key.attributes, ("other", "N"))),
    Metric: lambda metric: dataclasses.replace(metric, name="other"),
    Body: lambda body: Body({**body.document, "start": "-PT1H"}),
    Mapping: lambda mapping: {**mapping, "other": "x"},
    frozenset: lambda items: items | {"other"},
    tuple: lambda items: (*items, "other"),
}
