"""Goldsmith's parts inside other applications: tokens for their servers, and what their pages then ask for."""
