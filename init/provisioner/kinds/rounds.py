"""How far one call gets: most kinds are as described after one, some take them one by one."""

from __future__ import annotations

from typing import Generic, TypeVar

from provisioner.resources import Resource

R = TypeVar("R", bound=Resource)


class AllAtOnce(Generic[R]):
    """A kind that is made, and changed, in one round; what needs more overrides it."""

    adopts = False

    def made(self, desired: R) -> R:
        """What `create` makes of `desired`; the rest of it takes updates."""
        return desired

    def toward(self, desired: R, actual: R) -> R | None:
        """What the next update makes of `actual`, None where it has to go to be made anew."""
        return desired
