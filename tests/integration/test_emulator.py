from conftest import AwsClient


def test_the_emulator_answers(aws: AwsClient) -> None:
    assert aws("kinesis").list_streams()["StreamNames"] == []
