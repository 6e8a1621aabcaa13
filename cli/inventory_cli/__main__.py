"""Starts the command line. Ctrl+C while it loads ends it without a traceback."""

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
