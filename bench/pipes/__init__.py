"""What the Pipes service costs beside the emulator's own calls. Run it with `make bench-pipes`."""
