"""Batches: a file of requests in OpenAI's form → a file of answers. The machinery of runs, without rows and prompts.

A batch passes through three jobs, each of which queues the next when it ends: its file is checked (`batch_check`, which
needs no engine and so waits for none), its requests are asked (`batch`), and its files are written (`batch_end`).
"""
