"""Pages and JSON over the steps. Imports them, is never imported by them; `app.py` calls `factory.make_web`."""
