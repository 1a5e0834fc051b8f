"""Message authentication: facts about who sent a message. Nothing here decides what is done with it.

Each module knows one standard and nothing of the others or of the gateway: look up, parse, verify. Results
are the closed word sets of RFC 8601.
"""
