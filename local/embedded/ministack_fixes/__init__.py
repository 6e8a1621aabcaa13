"""Corrections of MiniStack 1.5.33.

Each says what MiniStack does and what AWS does. Under "To report:" it has a text for an issue
upstream. The function `apply` of a file changes the modules of MiniStack in this process.
"""

from __future__ import annotations

from embedded.ministack_fixes import (
    batching_windows,
    function_logs,
    log_metrics,
    queue_scans,
    queue_urls,
    streams,
)


def apply_all() -> None:
    """Correct MiniStack in this process. Call it before MiniStack serves."""
    for fix in (streams, function_logs, log_metrics, queue_scans, queue_urls, batching_windows):
        fix.apply()
