"""The models of AWS's services, read once by each worker: a session of boto3 reads them again."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


class ModelsReadOnce(JSONFileLoader):
    def load_file(self, file_path: str) -> Any:
        return _model(file_path)


@cache
def _model(path: str) -> Any:
    return JSONFileLoader().load_file(path)


def read_once() -> None:
    """From now on, in this process. Commands that tests call make many sessions."""
    Loader.FILE_LOADER_CLASS = ModelsReadOnce
