"""`inventory table --watch` on a live stack: what is there, and then what changes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stack import Stack
from waiting import eventually


def event(kind: str, **product: object) -> tuple[str, bytes]:
    content = {"event_type": f"product_{kind}", "product": product}
    return str(product["product_id"]), json.dumps(content).encode()


def test_it_goes_on_with_each_change_until_it_is_stopped(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET", "aws")
    stack.await_handled(
        stack.put([event("added", product_id="P1", product_name="Desk", quantity=5)])
    )
    output = tmp_path / "output"
    program = [sys.executable, "-m", "inventory_cli", "table", "--watch"]
    with output.open("wb") as file:
        process = subprocess.Popen(program, stdout=file, stderr=subprocess.STDOUT)
    try:
        row = {"product_id": "P1", "product_name": "Desk", "quantity": 5, "timestamp": "N/A"}
        eventually(lambda: output.read_text() == json.dumps(row) + "\n", timeout=60)
        stack.await_handled(
            stack.put([event("quantity_changed", product_id="P1", quantity_change=-2)])
        )
        stack.await_handled(stack.put([event("removed", product_id="P1")]))
        expected = [row, row | {"quantity": 3}, {"product_id": "P1", "removed": True}]
        eventually(
            lambda: [json.loads(line) for line in output.read_text().splitlines()] == expected,
            timeout=60,
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
