"""Alerts: what went wrong, and stock that runs low or over, told to people and never in a flood.

`cause`, `crossings`, `limit` and `message` are pure; `failed`, `tallies`, `ticks` and `topic` are
the edges; `limiter` sees to it that at most one message a second and cause is published, and
`handler` is what Lambda calls.
"""
