"""Backups of the mail server at home: made, proven, brought back."""
