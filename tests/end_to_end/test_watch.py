"""`inventory table --watch` on a live stack: what is there, and then what changes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from stack import Stack
from waiting import eventually


def event(kind: str, **product: object) -> tuple[str, bytes]:
    content = {"event_type": f"product_{kind}", "product": product}
    return str(product["product_id"]), json.dumps(content).encode()


def test_it_prints_the_rows_and_then_each_change_until_ctrl_c(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET", "aws")
    stack.await_handled(
        stack.put([event("added", product_id="P1", product_name="Desk", quantity=5)])
    )
    outputs = {form: tmp_path / form for form in ("jsonl", "text")}
    with ExitStack() as ended:
        processes = []
        for form, output in outputs.items():
            program = [sys.executable, "-m", "inventory_cli", "table", "--watch", "--output", form]
            file = ended.enter_context(output.open("wb"))
            process = subprocess.Popen(program, stdout=file, stderr=subprocess.STDOUT)
            ended.callback(process.wait)
            ended.callback(process.kill)
            processes.append(process)
        row = {"product_id": "P1", "product_name": "Desk", "quantity": 5, "timestamp": "N/A"}
        eventually(lambda: outputs["jsonl"].read_text() == json.dumps(row) + "\n", timeout=60)
        eventually(lambda: outputs["text"].read_text().endswith("\n1 row\n"), timeout=60)
        stack.await_handled(
            stack.put([event("quantity_changed", product_id="P1", quantity_change=-2)])
        )
        stack.await_handled(stack.put([event("removed", product_id="P1")]))
        expected = [row, row | {"quantity": 3}, {"product_id": "P1", "removed": True}]
        eventually(
            lambda: (
                [json.loads(line) for line in outputs["jsonl"].read_text().splitlines()] == expected
            ),
            timeout=60,
        )
        told = "P1     changed  Desk, quantity 5 → 3\nP1     removed  Desk, quantity 3\n"
        eventually(lambda: outputs["text"].read_text().endswith(f"\n1 row\n{told}"), timeout=60)
        for process in processes:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
