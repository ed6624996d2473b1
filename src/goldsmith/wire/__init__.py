"""What a parent and its heavy child say to each other, in files.

`job.json` goes down (`order.py`), `events.jsonl` comes up (`events.py`). Standard library only: a copy of this package
travels in every job folder and is imported by the child inside its own environment.
"""
