"""Makes the jar by which LocalStack starts DynamoDB Local. There is nothing in it but the path to
Maven's jars, whose names differ from those in AWS's own archive.

    python launcher.py DIRECTORY    DynamoDBLocal.jar there, for the jars in DynamoDBLocal_lib
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

MAIN_CLASS = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
WIDTH = 70
"""A line of a manifest has 72 bytes at most, and goes on behind a space."""


def manifest(jars: list[str]) -> str:
    path = f"Class-Path: {' '.join(jars)}"
    lines = [path[at : at + WIDTH] for at in range(0, len(path), WIDTH)]
    return f"Manifest-Version: 1.0\r\nMain-Class: {MAIN_CLASS}\r\n" + "\r\n ".join(lines) + "\r\n"


directory = Path(sys.argv[1])
jars = sorted(f"DynamoDBLocal_lib/{jar.name}" for jar in directory.glob("DynamoDBLocal_lib/*.jar"))
with zipfile.ZipFile(directory / "DynamoDBLocal.jar", "w") as launcher:
    launcher.writestr("META-INF/MANIFEST.MF", manifest(jars))
