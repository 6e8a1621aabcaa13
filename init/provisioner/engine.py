"""The provisioner: plan, provision and destroy everything that the description names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import groupby
from typing import Any, TypeAlias

from provisioner.access import access_problem
from provisioner.account import Account
from provisioner.calls import Call, recorded
from provisioner.changes import Change
from provisioner.clients import Clients
from provisioner.convergence import converge, preview, rehearse, remove
from provisioner.description import description
from provisioner.errors import (
    AWS_ERRORS,
    Failure,
    NotBegunError,
    ProvisioningError,
    ResourceError,
    explain,
)
from provisioner.finding import strays
from provisioner.kinds import Kind, Kinds, all_kinds
from provisioner.kinds.functions import code_sha256
from provisioner.names import Names
from provisioner.options import Options
from provisioner.patience import Patience
from provisioner.resources import Resource

DEADLINE_SECONDS = 600.0

Report: TypeAlias = Callable[[Change], object]
Work: TypeAlias = Callable[[Kind[Any], Any, Patience], Change]


def plan(clients: Clients, names: Names, options: Options, code: bytes) -> list[Change]:
    """What `provision` would do, in the order of the description; changes nothing.

    Raises ProvisioningError when AWS cannot be asked, or when a resource is there that can neither
    be used nor changed.
    """
    resources = _describe(clients, names, options, code)
    return _run("planning", [resources], preview, all_kinds(clients, code), lambda _: None)


def dry_run(clients: Clients, names: Names, options: Options, code: bytes) -> list[Call]:
    """The calls with which `provision` would change something, in order; makes none of them.

    Those of different resources may come in another order where `provision` works on both at once.
    Raises as `plan` does.
    """
    resources = _describe(clients, names, options, code)
    kinds = all_kinds(clients, code)
    _run("planning", [resources], preview, kinds, lambda _: None)
    with recorded(clients, send=False) as calls:
        _run("planning", [[each] for each in resources], rehearse, kinds, lambda _: None)
    return calls


def provision(
    clients: Clients,
    names: Names,
    options: Options,
    code: bytes,
    report: Report,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> list[Change]:
    """Make everything as described; `code` is the function's zip.

    `report` is called with each Change as soon as it is made; all are returned in the order of the
    description. Each resource has `deadline_seconds` to get there. Raises ProvisioningError.
    """
    resources = _describe(clients, names, options, code)
    kinds = all_kinds(clients, code)
    return _run("provisioning", _stages(resources), converge, kinds, report, deadline_seconds)


def destroy(
    clients: Clients,
    names: Names,
    options: Options,
    report: Report,
    deadline_seconds: float = DEADLINE_SECONDS,
    tagged: Collection[str] = (),
) -> list[Change]:
    """Delete everything of these names that carries our tags, the pipe first, and all data in it.

    And what else of `tagged`, the ARNs of what has them, is of a kind of ours. Returns once all of
    it is gone, with what was left and why; otherwise as `provision`.
    """
    resources = _describe(clients, names, options, b"")
    found, left = strays(clients, resources, tagged)
    kinds = all_kinds(clients, b"")
    stages = list(reversed(_stages([*resources, *found])))
    done = _run("destroying", stages, remove, kinds, report, deadline_seconds)
    for change in left:
        report(change)
    return [*done, *left]


def _describe(
    clients: Clients, names: Names, options: Options, code: bytes
) -> tuple[Resource, ...]:
    account = whose(clients)
    options.check(account.region)
    return description(names, options, account, code_sha256(code))


def whose(clients: Clients) -> Account:
    """The account and Region that the clients work in. Raises NotBegunError when none lets them."""
    region = clients.kinesis.meta.region_name
    try:
        caller = clients.sts.get_caller_identity()
    except AWS_ERRORS as error:
        reason = access_problem(error, region) or f"AWS account: {explain(error)}"
        raise NotBegunError(reason) from error
    return Account.of_caller(caller["Arn"], caller["Account"], region)


def _stages(resources: Sequence[Resource]) -> list[list[Resource]]:
    ordered = sorted(resources, key=lambda resource: resource.stage)
    return [list(stage) for _, stage in groupby(ordered, key=lambda resource: resource.stage)]


def _run(
    task: str,
    stages: Sequence[Sequence[Resource]],
    work: Work,
    kinds: Kinds,
    report: Report,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> list[Change]:
    """`work` on each resource, those of one stage at the same time, stage after stage.

    A failure does not stop the others of its stage; the next stage is then not begun.
    """
    patience = Patience(deadline_seconds)
    done: list[Change] = []
    for number, stage in enumerate(stages, start=1):
        changes, failures = _run_stage(stage, work, kinds, report, patience)
        done += changes
        if failures:
            untried = [resource.label for later in stages[number:] for resource in later]
            raise ProvisioningError(task, done, failures, untried)
    return done


def _run_stage(
    stage: Sequence[Resource], work: Work, kinds: Kinds, report: Report, patience: Patience
) -> tuple[list[Change], list[Failure]]:
    changes: dict[str, Change] = {}
    failures: list[Failure] = []
    with ThreadPoolExecutor(max_workers=len(stage)) as pool:
        resources = {
            pool.submit(work, kinds[type(resource)], resource, patience): resource
            for resource in stage
        }
        try:
            for future in as_completed(resources):
                resource = resources[future]
                try:
                    change = future.result()
                except (ResourceError, *AWS_ERRORS) as error:
                    failures.append(Failure.of(resource.label, error))
                else:
                    changes[resource.label] = change
                    report(change)
        except BaseException:
            patience.abandon()
            raise
    return [changes[r.label] for r in stage if r.label in changes], failures
