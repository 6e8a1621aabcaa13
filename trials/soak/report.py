"""What a soak came to, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from soak.faults import Fault
from soak.memory import ALLOWED_MIB, ALLOWED_SHARE, Growth
from soak.run import Soak
from soak.verdict import Verdict

SHOWN = 5


def lines(soak: Soak, verdicts: Mapping[str, Verdict], memory: Growth) -> Iterator[str]:
    """The figures; what went wrong is in `findings`."""
    yield from _section("Put")
    yield _row("records", str(len(soak.stream.records)))
    yield _row("reshards", "; ".join(soak.resharded) or "none")
    yield _row("kills of one service", str(len(soak.mortal.kills)))
    for name, found in verdicts.items():
        yield from _section(name)
        yield _row("records expected", str(found.expected))
        yield _row("records delivered", str(found.delivered))
        yield _row("poison, dead-lettered", str(found.given_up))
        yield _row("deliveries", str(found.deliveries))
        yield _row("share of repetitions", f"{found.repeated:.2%}")
    yield from _section("Faults met")
    for (service, fault), count in sorted(_faults(soak).items()):
        yield _row(f"{service}: {fault}", str(count))
    yield _row("kinesis: over five reads a second", str(soak.kinesis.refused))
    yield from _section("Memory of the service that is never killed (resident)")
    for minute, mib in enumerate(memory.minutes, 1):
        yield _row(f"minute {minute}", f"{mib:.1f} MiB")


def findings(
    verdicts: Mapping[str, Verdict], memory: Growth, surprises: Sequence[str]
) -> list[str]:
    """What went wrong, a line each."""
    found = [
        f"{name}: {len(numbers)} {what}, such as {', '.join(map(str, numbers[:SHOWN]))}"
        for name, verdict in verdicts.items()
        for what, numbers in verdict.findings.items()
    ]
    if memory.is_too_much:
        found.append(
            f"memory grew by {memory.mib:.1f} MiB after the first minute "
            f"(allowed: {ALLOWED_MIB:g} MiB or {ALLOWED_SHARE:.0%})"
        )
    found += [
        f"{count} tracebacks in a service's log: {line}"
        for line, count in Counter(surprises).items()
    ]
    return found


def _faults(soak: Soak) -> Counter[tuple[str, Fault]]:
    return soak.mortal.front.faults.met + soak.steady.front.faults.met


def _section(title: str) -> Iterator[str]:
    yield ""
    yield title


def _row(label: str, value: str) -> str:
    return f"  {label:<52} {value}"
