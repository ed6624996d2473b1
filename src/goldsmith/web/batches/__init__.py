"""Batches: their pages. The API over the same is OpenAI's, in `web/openai/batches.py`."""
