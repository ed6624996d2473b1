"""What a parent and its heavy child say to each other, in files.

`job.json` (`order.py`) and the rows (`rows.py`) go down, `events.jsonl` (`events.py`) and folders with a manifest
(`manifest.py`: checkpoints, the result) come up. Standard library only: a copy of this package travels in every job
folder and is imported by the child inside its own environment.
"""
