"""The web over the step `train`: pages in `handlers.py` and `views.py`, the API in `api.py`."""
