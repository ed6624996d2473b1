"""Anything long: queued, claimed, started as a child process, watched, stopped, and gone on with after any death.

It knows no step of the loop: a step offers its long work as a `JobKind` (has an end) or a `Keeper` (has none), and
`app.py` hands both to the supervisor.
"""
