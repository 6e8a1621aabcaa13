"""What can be set for Docker Compose: .env.example has all of it, with the defaults that hold."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from deploy.settings import Settings, variables
from deployer import __main__ as compose
from inventory_aws.names import Names
from inventory_cli.target import Target, variables_of, with_compose_settings
from pages import ROOT
from producer.cli import produce

IMAGES = ("cli", "services/dashboard", "services/pipes", "services/producer")
COMPOSE = (ROOT / "docker-compose.yml").read_text()
EXAMPLE = re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def defaults() -> dict[str, str]:
    """What holds for each variable of the Compose file when it is not set."""
    project = yaml.safe_load(COMPOSE)
    environments = [service.get("environment", {}) for service in project["services"].values()]
    handed_on = [name for each in environments for name, value in each.items() if value is None]
    found = dict.fromkeys(handed_on, "") | {"COMPOSE_PROJECT_NAME": project["name"]}
    parameters = Settings.from_env({}).parameters
    found |= {name: parameters[parameter] for name, parameter in variables().items()}
    found["STAGE"] = Names.stage
    for option in produce.params:
        if (name := f"PRODUCER_{option.name}".upper()) in found:
            found[name] = written(option.default)
    return found | dict(re.findall(r"\$\{([A-Z_]+):?-(.*?)\}", COMPOSE))


def written(default: object) -> str:
    """The default of an option as one would set it; nothing for a flag, or where there is none."""
    if isinstance(default, float):
        return f"{default:g}"
    return str(default) if isinstance(default, str | int) and default is not False else ""


def test_the_example_has_each_variable_once_with_its_default() -> None:
    assert {name: n for name, n in Counter(name for name, _ in EXAMPLE).items() if n > 1} == {}
    assert dict(EXAMPLE) == defaults()


def test_the_example_has_every_variable_of_the_compose_file() -> None:
    assert set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) <= defaults().keys()


def test_a_variable_has_one_default_wherever_it_is_used() -> None:
    uses = set(re.findall(r"\$\{([A-Z_]+)(:?-.*?)\}", COMPOSE))
    assert len(uses) == len({name for name, _ in uses})


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    taken = tmp_path / ".env"
    taken.write_text("".join(f"{name}={value}\n" for name, value in EXAMPLE))
    environ = with_compose_settings({}, taken)
    assert Settings.from_env(environ) == Settings.from_env({})
    found = variables_of(Target.LOCALSTACK, environ, Path())
    aws = {k: v for k, v in found.items() if k.startswith("AWS_")}
    assert aws == variables_of(Target.LOCALSTACK, {}, Path())


def test_wrong_settings_of_all_services_are_found_before_one_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {"STAGE": "UP", "BATCH_SIZE": "x", "PRODUCER_RATE": "fast", "PRODUCER_COUNT": "-1"}
    wrong |= {"PIPES_METRICS_URL": "pipes", "ALLOW_ORIGIN": "localhost"}
    for name in [name for name in os.environ if name.startswith("PRODUCER_")]:
        monkeypatch.delenv(name)
    assert compose.problems({}) == []
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    found = compose.problems(os.environ)
    assert [next(name for name in wrong if name in line) for line in found] == list(wrong)


def test_images_and_functions_have_the_architecture_of_the_machine() -> None:
    """Neither asks for one: Docker takes the machine's, and LocalStack leaves it to Docker."""
    services = yaml.safe_load(COMPOSE)["services"]
    assert services["localstack"]["environment"]["LAMBDA_IGNORE_ARCHITECTURE"] == 1
    assert not any("platform" in service for service in services.values())
    for folder in IMAGES:
        assert "--platform" not in (ROOT / folder / "Dockerfile").read_text()


@pytest.mark.parametrize("folder", [each for each in IMAGES if each != "cli"])
def test_the_image_of_a_service_copies_only_its_folder_and_libraries(folder: str) -> None:
    context = "" if folder != "services/pipes" else f"{folder}/"
    copied = re.findall(
        "^COPY (?!--from)(.+) .+$", (ROOT / folder / "Dockerfile").read_text(), re.M
    )
    sources = {context + source for line in copied for source in line.split()}
    assert sources
    assert {s for s in sources if not s.startswith((f"{folder}/", "libs/"))} == set()
