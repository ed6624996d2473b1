"""The gateway: requests of OpenAI's API go to whichever engine has the model that they name.

It answers from memory, knows no database, and stands before the pages and the API. `app.py` hands it a callable that
reads where names lead; everything that came over the wire is checked against lists of what is allowed.
"""
