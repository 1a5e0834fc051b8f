"""Follows a message through the logs: its attempts, its fate, and what to do about it."""
