"""Watching: what is wrong with the mail server, told once when it begins and once when it is over."""
