"""How many records to ask for, so that memory stays bounded.

Kinesis can be told a number of records, not of bytes. What one shard has shown of the size of
its records holds for the others of its stream, which so need no careful first page of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from eventbridge_pipes.record import Record

PAGE_BYTES = 4 * 1024 * 1024
PAGE_RECORDS = 10_000
FIRST_PAGE_RECORDS = 500


class PageLimit:
    """One for all shards of a stream: `records` is what to ask for next."""

    def __init__(self) -> None:
        self.records = FIRST_PAGE_RECORDS

    def learn(self, page: Sequence[Record]) -> None:
        """From the last page that had any records."""
        self.records = page_limit(len(page), sum(len(record.body) for record in page))


def page_limit(record_count: int, record_bytes: int) -> int:
    """How many records of the mean size of these, one or more, fit into a page."""
    mean = max(1, record_bytes // record_count)
    return max(1, min(PAGE_RECORDS, PAGE_BYTES // mean))
