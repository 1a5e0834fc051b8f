"""Newer images for the services at home, one by one, and back where one is not healthy."""
