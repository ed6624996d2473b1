"""The API over sources, where stars live besides here."""
