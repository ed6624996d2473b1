"""The web over the step `run`: pages in `handlers.py` and `views.py`, the API in `api.py`."""
