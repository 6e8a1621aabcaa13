"""Corrections of MiniStack 1.5.33, one file for each.

Each file says what MiniStack does and what AWS does. Under "To report:" it has a text for an issue
upstream. Its function `apply` changes the modules of MiniStack in this process. Call it before
MiniStack serves.
"""

from __future__ import annotations

from embedded.ministack_fixes import (
    batching_windows,
    function_exceptions,
    function_logs,
    log_metrics,
    queue_scans,
    queue_urls,
    record_expiry,
    resharding,
    sequence_numbers,
    shard_counts,
)

CORRECTIONS = (
    resharding,
    shard_counts,
    sequence_numbers,
    record_expiry,
    queue_scans,
    queue_urls,
    function_exceptions,
    function_logs,
    log_metrics,
    batching_windows,
)
