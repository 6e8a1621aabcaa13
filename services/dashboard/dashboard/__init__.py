"""The live page of the pipeline: what flows, what is behind, what went wrong.

`model` folds what the sources report, without I/O; `sources` ask AWS and the Pipes service; `web`
shows it; `controls` are what a user can do. Nothing imports it.
"""
