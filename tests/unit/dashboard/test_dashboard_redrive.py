"""A failed event that the dashboard edits."""

from __future__ import annotations

from operations.redrive.failed_event import FailedEvent, Origin


def test_an_edited_event_keeps_its_id_and_its_place_and_belongs_to_its_new_product() -> None:
    before = FailedEvent(
        origin=Origin.REJECTED,
        shard_id="shardId-000000000000",
        sequence_number=7,
        failed_at=1_700_000_000.5,
        reason="product.quantity must be a number",
        event_id="01J",
        product_id="P1",
        payload=b'{"event_type": "product_added", "product": {"product_id": "P1"}}',
    )
    payload = b'{"event_type": "product_removed", "product": {"product_id": "P2"}}'

    after = before.with_payload(payload)

    assert after.payload == payload
    assert after.product_id == "P2"
    assert (after.redrive_id, after.place) == (before.redrive_id, before.place)
