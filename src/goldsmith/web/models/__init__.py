"""The web over the step `models`: pages in `handlers.py` and `views.py`, the API in `api.py`."""
