"""How a marked event ends the function, and the function that it ends.

What the real one cannot handle it rejects, and nothing that can be put on the stream is known to
end it: this one is the real one behind a handler that ends at a mark.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from enum import StrEnum

from inventory.broken import dump
from inventory_aws.outbox import Event

HANDLER, REAL = "processor/handler.py", "processor/real_handler.py"


class Ending(StrEnum):
    """`LATE` raises once all that comes before the event in the batch is written."""

    RAISES = "raises"
    LATE = "late"
    EXITS = "exits"
    HANGS = "hangs"


VARIANT = b"""
import base64, os, re, time

from processor.real_handler import handler as real

MARK = re.compile(rb"crash:(\\w+):")

def handler(invocation, context):
    for place, record in enumerate(invocation):
        if mark := MARK.search(base64.b64decode(record["data"])):
            ending = mark[1].decode()
            print("ending at a marked event:", ending)
            if ending == "late":
                real(invocation[:place], context)
            if ending == "exits":
                os._exit(1)
            if ending == "hangs":
                time.sleep(3600)
            raise RuntimeError(ending)
    return real(invocation, context)
"""


def marked(event: Event, ending: Ending) -> Event:
    """`event`, a valid one, which ends the function so."""
    document = json.loads(event.payload)
    event_id = f"crash:{ending}:{event.event_id}"
    return replace(event, payload=dump({**document, "event_id": event_id}), event_id=event_id)


def variant(package: bytes) -> bytes:
    """The zip of the function that `package` is, made to end at marked events."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.infolist():
            name = REAL if entry.filename == HANDLER else entry.filename
            new.writestr(name, old.read(entry))
        new.writestr(HANDLER, VARIANT)
    return changed.getvalue()
