"""The web over the step `stars`: pages in `handlers.py` and `views.py`, the API in `api.py`."""
