"""What a door says by itself: every reply that depends on no message, once, as a constant.

Texts are short and constant, say what to do, and reveal nothing (RFC 5321 section 4.2).
"""

from __future__ import annotations

from mxgw.reply import Reply

DRAINING = Reply.of(421, "4.3.2", "Going down for maintenance; please try again later #M10")
OK = Reply.of(250, "2.0.0", "OK")
SENDER_OK = Reply.of(250, "2.1.0", "Sender OK")
RESET = Reply.of(250, "2.0.0", "Flushed")
BYE = Reply.of(221, "2.0.0", "Bye")
HELP = Reply.of(214, "2.0.0", "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP STARTTLS QUIT; see RFC 5321")
VRFY = Reply.of(252, "2.0.0", "Cannot verify; send mail and RCPT will tell")
SEND_CONTENT = Reply.of(354, "", "End with <CRLF>.<CRLF>")
TLS_GO = Reply.of(220, "2.0.0", "Ready to start TLS")
EMPTY = Reply.of(500, "5.5.2", "An empty line is no command #M20")
UNKNOWN = Reply.of(500, "5.5.2", "Command not recognised #M20")
NOT_HERE = Reply.of(502, "5.5.1", "Command not implemented #M20")
NO_ARGUMENT = Reply.of(501, "5.5.4", "This command takes no argument #M20")
NEEDS_ARGUMENT = Reply.of(501, "5.5.4", "This command needs an argument #M20")
BAD_HELO = Reply.of(501, "5.5.4", "Say a domain name or an address literal #M20")
BAD_BDAT = Reply.of(501, "5.5.4", "Syntax: BDAT octets [LAST] #M20")
HELO_FIRST = Reply.of(503, "5.5.1", "Introduce yourself first #M21")
MAIL_FIRST = Reply.of(503, "5.5.1", "Send MAIL first #M21")
RCPT_FIRST = Reply.of(503, "5.5.1", "No valid recipients #M21")
MAIL_TWICE = Reply.of(503, "5.5.1", "A transaction is open already; RSET ends it #M21")
IN_BDAT = Reply.of(503, "5.5.1", "A BDAT sequence is open; send BDAT, or RSET #M21")
TLS_TWICE = Reply.of(503, "5.5.1", "TLS is active already #M22")
NO_TLS = Reply.of(502, "5.5.1", "STARTTLS is not offered #M22")
TLS_NEEDED = Reply.of(530, "5.7.10", "REQUIRETLS needs STARTTLS first #M23")
TOO_EARLY = Reply.of(503, "5.5.1", "Octets came before our reply: this command ends a pipelined group #M24")
TOO_LARGE = Reply.of(552, "5.3.4", "The message is larger than we accept (see SIZE) #M42")
TOO_MANY_ERRORS = Reply.of(421, "4.7.0", "Too many errors: closing the connection #M13")
TOO_MANY_COMMANDS = Reply.of(421, "4.7.0", "Too many commands without a message: closing the connection #M14")
TOO_MANY_MESSAGES = Reply.of(421, "4.7.0", "Enough messages for one connection; please connect again #M15")
TROUBLE = Reply.of(451, "4.3.0", "Something went wrong on our side; please try again later #M71")
TROUBLE_CLOSING = Reply.of(421, "4.3.0", "Something went wrong on our side; please try again later #M71")
