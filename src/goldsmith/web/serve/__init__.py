"""The web over the step `serve`: pages in `handlers.py` and `views.py`, the API in `api.py`."""
