"""`python -m producer`: the command `inventory produce` on its own."""

from producer.cli import produce

if __name__ == "__main__":
    produce(prog_name="python -m producer")
