"""The web over the step `compare`: pages in `handlers.py` and `views.py`, the API in `api.py`."""
