"""The doors: SMTP at the edge, LMTP at home. The only package that knows aiosmtpd.

What is aiosmtpd's here: its protocol class as the base, its PROXY protocol parser. What is ours: the command
loop, content, addresses, replies, STARTTLS, limits (docs/decisions.md says why). aiosmtpd is pinned to the
exact version since private names of it and of asyncio.StreamReader are used, each where it says so.

    server      sockets, open sessions, drain
    admission   who may talk: PROXY header, session limits, early talkers
    wire        one connection: lines in, replies out in one write, deadlines, STARTTLS
    door        the verbs, and the state between them
    xclient     what a peer that we trust says of its client
    tls         certificates, reloaded while running
"""
