from __future__ import annotations

from dashboard.model.figures import Figures
from dashboard.model.flow import Health, Node, nodes, silent_since
from dashboard.model.pipeline import PUT, Pipeline
from dashboard.sources.figures import pipe_metrics
from inventory_aws.stream import StreamRecord

NOW = 1000.5


def node(pipeline: Pipeline, key: str) -> Node:
    return next(found for found in nodes(pipeline, NOW) if found.key == key)


def health(pipeline: Pipeline, key: str) -> Health:
    return node(pipeline, key).health


def test_all_nodes_of_a_pipeline_without_events_are_idle() -> None:
    assert {found.health for found in nodes(Pipeline(), NOW)} == {Health.IDLE}


def test_a_node_with_events_flows_at_their_rate() -> None:
    pipeline = Pipeline()
    for second in range(990, 1000):
        pipeline.counts.add(second, {PUT: 20, "applied": 19, "rejected": 1})
    assert dict(node(pipeline, "producer").facts)["rate"] == "20.0/s"
    assert dict(node(pipeline, "pipe").facts)["rate"] == "20.0/s"
    assert health(pipeline, "stream") is health(pipeline, "pipe") is Health.FLOWING


def test_a_page_that_falls_behind_the_stream_shows_the_latest_rate_it_read() -> None:
    pipeline = Pipeline()
    for second in range(950, 975):
        pipeline.counts.add(second, {PUT: 900})
    pipeline.figures.unread_seconds = 25.0
    for key in ("producer", "stream"):
        assert health(pipeline, key) is Health.FLOWING
        assert dict(node(pipeline, key).facts)["rate"] == "900/s"


def test_a_node_is_behind_when_an_event_waits_too_long() -> None:
    pipeline = Pipeline()
    pipeline.arrived([StreamRecord("shard-0", 1, NOW - 60, b"{}", "key")])
    assert health(pipeline, "stream") is Health.BEHIND
    assert health(pipeline, "pipe") is Health.BEHIND
    assert dict(node(pipeline, "pipe").facts)["lag"] == "60.0 s"


def test_the_pipe_is_behind_by_its_own_lag_when_no_event_waits() -> None:
    pipeline = Pipeline()
    pipeline.figures.pipe_lag = 30.0
    assert health(pipeline, "pipe") is Health.BEHIND


def test_a_stopped_pipe_differs_from_a_failed_one() -> None:
    pipeline = Pipeline()
    pipeline.figures.pipe_state = "STOPPED"
    assert health(pipeline, "pipe") is Health.STOPPED
    assert node(pipeline, "pipe").note == "stopped"
    pipeline.figures.pipe_state = "START_FAILED"
    assert health(pipeline, "pipe") is Health.TROUBLE


def test_the_reason_of_a_stop_disappears_when_the_pipe_runs_again() -> None:
    pipeline = Pipeline()
    pipeline.figures.pipe_state, pipeline.figures.pipe_reason = "STOPPED", "User initiated"
    assert node(pipeline, "pipe").note == "User initiated"
    pipeline.figures.pipe_state = "RUNNING"
    assert node(pipeline, "pipe").note == ""


def test_a_count_agrees_with_its_noun() -> None:
    pipeline = Pipeline()
    pipeline.figures.batch_ms, pipeline.figures.batch_size = 3.2, 1
    assert dict(node(pipeline, "function").facts)["last"] == "1 record in 3 ms"
    pipeline.figures.batch_size = 500
    assert dict(node(pipeline, "function").facts)["last"] == "500 records in 3 ms"
    pipeline.figures.rejected, pipeline.figures.dead_letters = 0, 1
    assert (node(pipeline, "rejected").word, node(pipeline, "dead_letters").word) == (
        "empty",
        "1 message",
    )


def test_the_number_of_rows_is_unknown_until_the_table_is_read() -> None:
    pipeline = Pipeline()
    assert dict(node(pipeline, "table").facts)["rows"] == "unknown"
    pipeline.scanned([], at=0.0)
    assert dict(node(pipeline, "table").facts)["rows"] == "0"


def test_the_stack_is_silent_when_none_of_its_apis_answers_for_a_while() -> None:
    figures = Figures(answered_at={"table": NOW - 9, "stream": NOW - 1, "pipe": NOW})
    assert silent_since(figures, NOW) is None
    assert silent_since(figures, NOW + 10) == NOW - 1
    assert silent_since(Figures(), NOW) is None, "nothing was asked yet"


def test_recent_failures_and_messages_in_a_queue_are_trouble() -> None:
    pipeline = Pipeline()
    pipeline.counts.add(NOW - 30, {"failed": 1, "pipe_failed": 2})
    pipeline.figures.rejected, pipeline.figures.dead_letters = 1, 0
    assert health(pipeline, "function") is health(pipeline, "pipe") is Health.TROUBLE
    assert health(pipeline, "rejected") is Health.TROUBLE
    assert health(pipeline, "dead_letters") is Health.IDLE


def test_errors_in_cloudwatch_are_trouble_unless_the_pipe_is_stopped() -> None:
    pipeline = Pipeline()
    pipeline.figures.errors = {"pipe": 2, "function": 0}
    assert health(pipeline, "pipe") is Health.TROUBLE
    assert dict(node(pipeline, "pipe").facts)["errors"] == "2 in 5 min"
    assert health(pipeline, "function") is Health.IDLE
    pipeline.figures.pipe_state = "STOPPED"
    assert health(pipeline, "pipe") is Health.STOPPED


def test_a_node_that_does_not_answer_is_not_reachable_and_shows_why() -> None:
    pipeline = Pipeline()
    pipeline.figures.trouble["table"] = "Connection refused"
    assert health(pipeline, "table") is Health.DOWN
    assert node(pipeline, "table").note == "Connection refused"
    assert health(pipeline, "stream") is Health.IDLE


def test_a_producer_that_ended_is_not_running_even_if_it_was_paused() -> None:
    pipeline = Pipeline()
    pipeline.figures.producer_reports({"rate": 2, "paused": True})
    assert health(pipeline, "producer") is Health.STOPPED
    pipeline.figures.producer_reports(None)
    ended = node(pipeline, "producer")
    assert (ended.health.word, ended.note) == ("not running", "")
    assert list(ended.facts) == [("rate", "0.0/s")]
    pipeline.figures.producer_reports({"rate": 2})
    assert health(pipeline, "producer") is Health.IDLE


def test_each_state_has_a_word_and_a_symbol_of_its_own() -> None:
    assert len({state.word for state in Health}) == len(Health)
    assert len({state.icon for state in Health}) == len(Health)


def test_metrics_of_other_pipes_are_ignored() -> None:
    text = """
# TYPE eventbridge_pipes_records_failed counter
eventbridge_pipes_records_failed_total{account="1",pipe="mine",region="eu-west-1"} 12
eventbridge_pipes_records_failed_total{account="1",pipe="other",region="eu-west-1"} 99
eventbridge_pipes_records_failed_total{account="2",pipe="mine",region="eu-west-1"} 99
eventbridge_pipes_records_failed_total{account="1",pipe="mine",region="us-east-1"} 99
# TYPE eventbridge_pipes_shard_lag_seconds gauge
eventbridge_pipes_shard_lag_seconds{account="1",pipe="mine",region="eu-west-1",shard="a"} 1.5
eventbridge_pipes_shard_lag_seconds{account="1",pipe="mine",region="eu-west-1",shard="b"} 0.5
"""
    assert pipe_metrics(text, "arn:aws:pipes:eu-west-1:1:pipe/mine") == (1.5, 12)
    assert pipe_metrics(text, "arn:aws:pipes:eu-west-1:1:pipe/unknown") == (0, 0)
