"""Make LocalStack refuse web pages of other origins. It runs this in its own process at its start.

LocalStack 4.14.0 runs a `.py` file of start.d with exec in its own interpreter before it serves
(PythonScriptRunner in localstack/runtime/init.py), so its packages are there. `handlers` is
localstack/aws/handlers/__init__.py; `terminate` comes from rolo 0.8.1, which it pins. If this file
fails, LocalStack goes on, and the health check says so. MiniStack has no start.d.

Without this, LocalStack answers a page that sends neither Origin nor Referer, and a page whose name
resolves to 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from localstack.aws import handlers

sys.path.append("/opt/inventory")
from eventbridge_pipes import guard

host = socket.gethostname()
hosts = {"localstack", host, *socket.gethostbyname_ex(host)[2]}
origins = os.environ.get("EXTRA_CORS_ALLOWED_ORIGINS", "").lower().split(",")
admitted = guard.Admitted(frozenset(hosts), frozenset(filter(None, map(str.strip, origins))))


def refuse(chain: Any, context: Any, response: Any) -> None:
    headers = [(k.encode(), v.encode("latin-1")) for k, v in context.request.headers]
    if why := guard.refusal(headers, admitted):
        response.status_code = 403
        response.set_json(guard.as_error(why))
        chain.terminate()


handlers.preprocess_request.handlers.insert(0, refuse)
