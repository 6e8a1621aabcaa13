"""How the resources are set up, each setting overridable by an environment variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from provisioner.errors import SettingsError
from provisioner.names import Names
from provisioner.variables import Variables, between, matching, on_or_off, one_of, or_off, read

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import RuntimeType
    from mypy_boto3_pipes.literals import KinesisStreamStartPositionType

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

# Not an alias: what a role may do is said of a key itself.
_KEY = matching(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[\w-]{1,128}",
    "the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID)",
)

VARIABLES: Variables = {
    "stream_shards": ("STREAM_SHARDS", between(1, 10_000)),
    "batch_size": ("BATCH_SIZE", between(1, 10_000)),
    "batching_window_seconds": ("BATCHING_WINDOW_SECONDS", between(0, 300)),
    "max_retry_attempts": ("MAX_RETRY_ATTEMPTS", between(-1, 10_000)),
    "max_record_age_seconds": ("MAX_RECORD_AGE_SECONDS", between(-1, 604_800)),
    "starting_position": ("STARTING_POSITION", one_of("TRIM_HORIZON", "LATEST")),
    "function_runtime": ("FUNCTION_RUNTIME", one_of("python3.11", "python3.12", "python3.13")),
    "function_memory_mb": ("FUNCTION_MEMORY_MB", between(128, 10_240)),
    # A pipe waits at most five minutes for its target.
    "function_timeout_seconds": ("FUNCTION_TIMEOUT_SECONDS", between(1, 300)),
    "removal_name_policy": ("REMOVAL_NAME_POLICY", one_of("ignore", "enforce")),
    "low_stock": ("LOW_STOCK", or_off(between(0, 999_999_999))),
    "high_stock": ("HIGH_STOCK", or_off(between(0, 999_999_999))),
    "lag_alarm_seconds": ("LAG_ALARM_SECONDS", between(1, 86_400)),
    "rejected_share_alarm_percent": ("REJECTED_SHARE_ALARM_PERCENT", between(0, 100)),
    "log_retention_days": ("LOG_RETENTION_DAYS", one_of(*_RETENTION_DAYS)),
    "kms_key": ("KMS_KEY_ARN", or_off(_KEY)),
    "point_in_time_recovery": ("POINT_IN_TIME_RECOVERY", on_or_off),
    "deletion_protection": ("DELETION_PROTECTION", on_or_off),
}


@dataclass(frozen=True)
class Options:
    """The settings of stream, pipe, function and logs, within AWS's limits for them.

    Attempts and age are bounded, where AWS's default is -1, for ever: a batch that cannot succeed
    would block its shard until its records expire, and never reach the dead-letter queue.

    12 retries are 13 attempts. A record that crashes the function costs the pauses between them,
    half a minute; an outage of the table, through each of which the function waits for most of its
    time-out, may last some ten minutes before the first record is given up on.

    The age is that of a day, as long as a stream keeps records by default, less four hours: what
    is given up on for its age can still be read from the stream. It has to be long: an age counts
    from the record's arrival, and records that have waited for a pipe to run are given up on
    without an attempt.

    Stock is low at `low_stock` and below, and over above `high_stock`; None turns an alert off.

    Without a `kms_key` AWS's own keys encrypt what is kept. Recovery and protection are those of
    the table with the rows.
    """

    stream_shards: int = 2
    batch_size: int = 500
    batching_window_seconds: int = 0
    max_retry_attempts: int = 12
    max_record_age_seconds: int = 72_000
    starting_position: KinesisStreamStartPositionType = "TRIM_HORIZON"
    function_runtime: RuntimeType = "python3.13"
    function_memory_mb: int = 256
    function_timeout_seconds: int = 60
    removal_name_policy: str = "ignore"
    low_stock: int | None = None
    high_stock: int | None = 1000
    lag_alarm_seconds: int = 60
    rejected_share_alarm_percent: int = 10
    log_retention_days: int = 14
    kms_key: str | None = None
    point_in_time_recovery: bool = False
    deletion_protection: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings of `environ`, the defaults for the rest; SettingsError names a bad one."""
        return cls(**read(VARIABLES, environ))

    def check(self, region: str) -> None:
        """Raises SettingsError where the key is not of `region`, that of what it is to encrypt."""
        if self.kms_key is not None and (of := self.kms_key.split(":")[3]) != region:
            raise SettingsError(f"KMS_KEY_ARN is of the Region {of}, the resources are of {region}")


def settings(environ: Mapping[str, str]) -> tuple[Names, Options]:
    """Return the names and options of `environ`. Raises SettingsError, which names all that is
    wrong with either."""
    found: list[Any] = []
    problems = []
    for kind in (Names, Options):
        try:
            found.append(kind.from_env(environ))
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    names, options = found
    return names, options
