"""Look, decide, act, look again, where AWS does what an emulator does not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from provisioner.convergence import converge, preview, remove
from provisioner.decision import Broken, Observed, Pending
from provisioner.errors import NotYetError, ResourceError
from provisioner.kinds.rounds import AllAtOnce
from provisioner.patience import AbandonedError, Patience
from provisioner.resources import Stream

STREAM = Stream(name="s", arn="arn:s", shards=2)
UNTAGGED = Stream(name="s", arn="arn:s", shards=2, tags={})


class Scripted(AllAtOnce[Stream]):
    """Streams whose looks are given, the last one for ever; it keeps the calls it got.

    `failures` are what its first calls that change something raise.
    """

    def __init__(
        self, looks: Iterable[Observed[Stream]], failures: Iterable[Exception | None] = ()
    ) -> None:
        self._looks = list(looks)
        self._failures = list(failures)
        self.calls: list[str] = []

    def look(self, desired: Stream) -> Observed[Stream]:
        return self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]

    def create(self, desired: Stream) -> None:
        self._call("create")

    def update(self, desired: Stream, actual: Stream) -> None:
        self._call(f"update from {actual.shards}")

    def delete(self, desired: Stream) -> None:
        self._call("delete")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        failure = self._failures.pop(0) if self._failures else None
        if failure:
            raise failure


def with_shards(count: int) -> Stream:
    return Stream(name="s", arn="arn:s", shards=count)


def test_it_waits_until_what_it_made_is_there_and_right() -> None:
    kind = Scripted([None, None, Pending("CREATING"), STREAM])

    assert str(converge(kind, STREAM, Patience(60))) == "created stream s (2 shards)"
    assert kind.calls == ["create"]


def test_a_role_that_lambda_cannot_assume_yet_is_tried_again() -> None:
    kind = Scripted([None, None, STREAM], failures=[NotYetError("cannot be assumed")])

    assert str(converge(kind, STREAM, Patience(60))) == "created stream s (2 shards)"
    assert kind.calls == ["create", "create"]


def test_an_update_in_several_rounds_is_one_line() -> None:
    kind = Scripted([with_shards(8), Pending("UPDATING"), with_shards(4), with_shards(4), STREAM])

    assert str(converge(kind, STREAM, Patience(60))) == "updated stream s: shards 8 → 2"
    assert kind.calls == ["update from 8", "update from 4"]


def test_what_is_being_deleted_is_made_again() -> None:
    kind = Scripted([Pending("DELETING"), None, STREAM])

    assert str(converge(kind, STREAM, Patience(60))) == "created stream s (2 shards)"


def test_what_failed_to_be_created_is_deleted_and_made_again() -> None:
    broken = Broken(STREAM, "no such role", replaceable=True)
    kind = Scripted([broken, Pending("DELETING"), None, STREAM])

    assert str(converge(kind, STREAM, Patience(60))) == "replaced stream s: no such role"
    assert kind.calls == ["delete", "create"]


def test_a_deadline_says_what_was_waited_for() -> None:
    kind = Scripted([None, Pending("CREATING")])

    with pytest.raises(ResourceError, match=r"^it is CREATING, after 0 s$"):
        converge(kind, STREAM, Patience(0))


def test_waiting_ends_when_the_run_is_abandoned() -> None:
    patience = Patience(60)
    patience.abandon()

    with pytest.raises(AbandonedError):
        converge(Scripted([Pending("CREATING")]), STREAM, patience)


def test_what_cannot_be_tagged_as_ours_does_not_stay() -> None:
    kind = Scripted([None, UNTAGGED], failures=[None, RuntimeError("access denied")])

    with pytest.raises(RuntimeError, match="access denied"):
        converge(kind, STREAM, Patience(60))
    assert kind.calls == ["create", "update from 2", "delete"]


def test_a_preview_acts_on_nothing() -> None:
    kind = Scripted([with_shards(1)])

    assert str(preview(kind, STREAM, Patience(60))) == "would update stream s: shards 1 → 2"
    assert kind.calls == []


def test_a_removal_is_done_when_the_resource_is_gone() -> None:
    kind = Scripted([STREAM, STREAM, Pending("DELETING"), None])

    assert str(remove(kind, STREAM, Patience(60))) == "deleted stream s"
    assert kind.calls == ["delete"]


def test_a_removal_leaves_alone_what_is_not_ours() -> None:
    kind = Scripted([UNTAGGED])

    change = remove(kind, STREAM, Patience(60))

    assert str(change).startswith("left alone stream s: it has no tag project=inventory-stack")
    assert kind.calls == []


def test_there_is_nothing_to_remove_where_nothing_is() -> None:
    assert str(remove(Scripted([None]), STREAM, Patience(60))) == "already gone: stream s"
