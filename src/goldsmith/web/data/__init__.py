"""The web over the step `data`: pages in `handlers.py` and `views.py`, the API in `api.py`."""
