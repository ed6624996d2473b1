"""Step 2: base models and fine-tuned models, their files and hashes, and how messages become tokens.

`hub.py` brings models from a hub, `inspection.py` says what a folder or a file holds, `rendering.py` is the only place
that turns messages into token ids and labels, `sandbox.py` the only place that makes environments for templates that
other people wrote.
"""
