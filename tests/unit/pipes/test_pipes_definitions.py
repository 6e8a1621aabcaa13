from __future__ import annotations

from dataclasses import replace

from eventbridge_pipes.api import definitions
from eventbridge_pipes.model import Pipe, State, StreamParameters

REQUEST = {
    "Name": "p",
    "Source": "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
    "Target": "arn:aws:lambda:eu-west-1:123456789012:function:f",
    "RoleArn": "arn:aws:iam::123456789012:role/r",
    "SourceParameters": {
        "KinesisStreamParameters": {
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": 1.0,
            "MaximumRetryAttempts": 3,
        }
    },
}


def pipe() -> Pipe:
    return definitions.created(REQUEST, "eu-west-1", now=5.0)


def test_a_new_pipe_has_an_arn_in_its_roles_account_and_is_creating() -> None:
    assert pipe().arn == "arn:aws:pipes:eu-west-1:123456789012:pipe/p"
    assert (pipe().current, pipe().desired) == (State.CREATING, State.RUNNING)


def test_a_streams_pipe_shows_its_batch_size_when_none_was_given() -> None:
    described = definitions.description(pipe())
    assert described["SourceParameters"]["KinesisStreamParameters"]["BatchSize"] == 100


def test_an_update_keeps_what_it_is_not_given() -> None:
    after = definitions.updated(pipe(), definitions.merged(pipe(), {"Name": "p"}), now=9.0)
    assert after == replace(pipe(), current=State.UPDATING, modified=9.0)


def test_an_update_replaces_a_services_parameters_as_a_whole_but_for_the_starting_position() -> (
    None
):
    request = {"SourceParameters": {"KinesisStreamParameters": {"BatchSize": 7}}}
    after = definitions.updated(pipe(), definitions.merged(pipe(), request), now=9.0)
    assert after.source_parameters["KinesisStreamParameters"] == {
        "StartingPosition": "AT_TIMESTAMP",
        "StartingPositionTimestamp": 1.0,
        "BatchSize": 7,
    }


def test_a_pipe_is_the_same_after_being_stored() -> None:
    assert Pipe.from_json(pipe().to_json()) == pipe()


def test_the_parameters_of_a_stream_have_the_defaults_of_aws() -> None:
    assert StreamParameters.of({"StartingPosition": "LATEST"}) == StreamParameters(
        starting_position="LATEST",
        starting_timestamp=None,
        maximum_retries=-1,
        maximum_age=-1,
        bisect=False,
        dead_letter_arn=None,
    )
