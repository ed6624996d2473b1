"""Shadow: a second model answers a copy of an alias's requests, for comparison; nobody is sent what it says.

Off until a person names a second model for an alias. Its answers are kept beside the sent ones for some days.
"""
