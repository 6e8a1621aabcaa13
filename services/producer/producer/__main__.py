"""`python -m producer`: the command `inventory produce` on its own."""

import os

from producer.cli import produce

if __name__ == "__main__":
    # In spite of a proxy, which has another 127.0.0.1.
    past = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]
    os.environ["no_proxy"] = ",".join(filter(None, past))
    produce(prog_name="python -m producer")
