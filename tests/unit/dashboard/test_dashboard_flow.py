from __future__ import annotations

from dashboard.model.figures import Figures, PipeFigures
from dashboard.model.flow import Health, Node, nodes, silent_since
from dashboard.model.pipeline import PUT, Pipeline
from dashboard.sources.pipe import figures_of
from inventory_aws.stream import StreamRecord

NOW = 1000.5


def node(pipeline: Pipeline, key: str) -> Node:
    return next(found for found in nodes(pipeline, NOW) if found.key == key)


def health(pipeline: Pipeline, key: str) -> Health:
    return node(pipeline, key).health


def test_nothing_flows_where_nothing_comes() -> None:
    assert {found.health for found in nodes(Pipeline(), NOW)} == {Health.IDLE}


def test_what_comes_flows() -> None:
    pipeline = Pipeline()
    for second in range(990, 1000):
        pipeline.counts.add(second, {PUT: 20, "applied": 19, "rejected": 1})
    assert dict(node(pipeline, "producer").facts)["rate"] == "20.0/s"
    assert dict(node(pipeline, "pipe").facts)["rate"] == "20.0/s"
    assert health(pipeline, "stream") is health(pipeline, "pipe") is Health.FLOWING


def test_a_producer_that_the_page_cannot_keep_up_with_flows_by_what_was_read_last() -> None:
    pipeline = Pipeline()
    for second in range(950, 975):
        pipeline.counts.add(second, {PUT: 900})
    pipeline.figures.unread_seconds = 25.0
    for key in ("producer", "stream"):
        assert health(pipeline, key) is Health.FLOWING
        assert dict(node(pipeline, key).facts)["rate"] == "900/s"


def test_an_event_that_waits_too_long_means_behind() -> None:
    pipeline = Pipeline()
    pipeline.arrived([StreamRecord("shard-0", 1, NOW - 60, b"{}", "key")])
    assert health(pipeline, "stream") is Health.BEHIND
    assert health(pipeline, "pipe") is Health.BEHIND
    assert dict(node(pipeline, "pipe").facts)["lag"] == "60.0 s"


def test_the_pipes_own_lag_counts_while_nothing_is_seen_to_wait() -> None:
    pipeline = Pipeline()
    pipeline.figures.pipe = PipeFigures(0, 0, 0, 0, 0, lag=30.0)
    assert health(pipeline, "pipe") is Health.BEHIND


def test_a_stopped_pipe_and_one_that_failed_are_told_apart() -> None:
    pipeline = Pipeline()
    pipeline.figures.pipe_state = "STOPPED"
    assert health(pipeline, "pipe") is Health.STOPPED
    assert node(pipeline, "pipe").note == "stopped"
    pipeline.figures.pipe_state = "START_FAILED"
    assert health(pipeline, "pipe") is Health.TROUBLE


def test_no_reason_of_a_state_lingers_once_the_pipe_runs_again() -> None:
    pipeline = Pipeline()
    pipeline.figures.pipe_state, pipeline.figures.pipe_reason = "STOPPED", "User initiated"
    assert node(pipeline, "pipe").note == "User initiated"
    pipeline.figures.pipe_state = "RUNNING"
    assert node(pipeline, "pipe").note == ""


def test_a_count_agrees_with_its_noun() -> None:
    pipeline = Pipeline()
    pipeline.figures.batch_ms, pipeline.figures.batch_size = 3.2, 1.0
    assert dict(node(pipeline, "function").facts)["last"] == "1 record in 3 ms"
    pipeline.figures.batch_size = 500.0
    assert dict(node(pipeline, "function").facts)["last"] == "500 records in 3 ms"
    pipeline.figures.rejected, pipeline.figures.dead_letters = 0, 1
    assert (node(pipeline, "rejected").word, node(pipeline, "dead_letters").word) == (
        "empty",
        "1 message",
    )


def test_rows_are_unknown_until_the_table_was_read() -> None:
    pipeline = Pipeline()
    assert dict(node(pipeline, "table").facts)["rows"] == "unknown"
    pipeline.scanned([], at=0.0)
    assert dict(node(pipeline, "table").facts)["rows"] == "0"


def test_the_stack_is_silent_once_none_of_its_apis_has_answered_for_a_while() -> None:
    figures = Figures(answered_at={"table": NOW - 9, "stream": NOW - 1, "pipe": NOW})
    assert silent_since(figures, NOW) is None
    assert silent_since(figures, NOW + 10) == NOW - 1
    assert silent_since(Figures(), NOW) is None, "nothing was asked yet"


def test_failures_of_the_last_minute_and_what_lies_in_a_queue_are_trouble() -> None:
    pipeline = Pipeline()
    pipeline.counts.add(NOW - 30, {"failed": 1, "pipe_failed": 2})
    pipeline.figures.rejected, pipeline.figures.dead_letters = 1, 0
    assert health(pipeline, "function") is health(pipeline, "pipe") is Health.TROUBLE
    assert health(pipeline, "rejected") is Health.TROUBLE
    assert health(pipeline, "dead_letters") is Health.IDLE


def test_who_gives_no_answer_is_not_reachable_and_says_why() -> None:
    pipeline = Pipeline()
    pipeline.figures.trouble["table"] = "Connection refused"
    assert health(pipeline, "table") is Health.DOWN
    assert node(pipeline, "table").note == "Connection refused"
    assert health(pipeline, "stream") is Health.IDLE


def test_a_producer_that_ended_is_not_running_whatever_it_was_set_to_before() -> None:
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


def test_what_the_pipes_service_tells_prometheus_is_read_for_the_one_pipe() -> None:
    text = """
# TYPE eventbridge_pipes_records_read counter
eventbridge_pipes_records_read_total{account="1",pipe="mine",region="eu-west-1"} 12
eventbridge_pipes_records_read_total{account="1",pipe="other",region="eu-west-1"} 99
eventbridge_pipes_records_read_total{account="2",pipe="mine",region="eu-west-1"} 99
eventbridge_pipes_records_read_total{account="1",pipe="mine",region="us-east-1"} 99
# TYPE eventbridge_pipes_shard_lag_seconds gauge
eventbridge_pipes_shard_lag_seconds{account="1",pipe="mine",region="eu-west-1",shard="a"} 1.5
eventbridge_pipes_shard_lag_seconds{account="1",pipe="mine",region="eu-west-1",shard="b"} 0.5
"""
    figures = figures_of(text, "arn:aws:pipes:eu-west-1:1:pipe/mine")
    assert (figures.read, figures.lag, figures.failed) == (12, 1.5, 0)
