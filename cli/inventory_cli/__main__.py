"""Starts the front door; Ctrl+C while it still loads is no reason for a traceback."""

from __future__ import annotations

import sys


def main() -> None:
    try:
        from inventory_cli.cli import cli

        cli(prog_name="inventory")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
