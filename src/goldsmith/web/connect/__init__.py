"""Pages and API over sources, where stars live besides here."""
