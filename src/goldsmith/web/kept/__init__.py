"""Kept traffic: its page, and the API over the same."""
