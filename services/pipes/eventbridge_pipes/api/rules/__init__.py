"""The rules that no single member shows, and what this service does not carry out.

Whatever is not carried out is refused by name: a pipe that was accepted does what it says. Every
rule is a pure function of a definition and yields the violations that it finds. A definition has
the members of CreatePipe; on an update, those of the pipe as it would be.
"""
