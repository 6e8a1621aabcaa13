"""Corrections of MiniStack 1.5.33, one file for each.

Each file says what MiniStack does and what AWS does. Under "To report:" it has a text for an issue
upstream. Its function `apply` changes the modules of MiniStack in this process. Call it before
MiniStack serves.
"""

from __future__ import annotations

from embedded.ministack_fixes import batching_windows as windows
from embedded.ministack_fixes import function_exceptions as exceptions
from embedded.ministack_fixes import (
    function_logs,
    queue_scans,
    queue_urls,
    resharding,
    sequence_numbers,
    shard_counts,
)
from embedded.ministack_fixes import record_expiry as expiry

CORRECTIONS = (
    resharding,
    shard_counts,
    sequence_numbers,
    expiry,
    queue_scans,
    queue_urls,
    exceptions,
    function_logs,
    windows,
)
