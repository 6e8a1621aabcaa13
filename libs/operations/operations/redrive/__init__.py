"""Failed events: what lies in the two queues, what each would do now, and putting it back.

`item`, `plan` and `carry_out` decide, as functions of their arguments; `inbox` reads the queues and
the stream; `showing` is what a user sees.
"""
