"""What a door says by itself: every reply that depends on no message, once, as a constant.

Texts are short and constant, say what to do, and reveal nothing (RFC 5321 section 4.2).
"""

from __future__ import annotations

from mxgw.reply import Reply

DRAINING = Reply.of(421, "4.3.2", "Going down for maintenance; please try again later")
OK = Reply.of(250, "2.0.0", "OK")
SENDER_OK = Reply.of(250, "2.1.0", "Sender OK")
RESET = Reply.of(250, "2.0.0", "Flushed")
BYE = Reply.of(221, "2.0.0", "Bye")
HELP = Reply.of(214, "2.0.0", "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP STARTTLS QUIT; see RFC 5321")
VRFY = Reply.of(252, "2.0.0", "Cannot verify; send mail and RCPT will tell")
SEND_CONTENT = Reply.of(354, "", "End with <CRLF>.<CRLF>")
TLS_GO = Reply.of(220, "2.0.0", "Ready to start TLS")
EMPTY = Reply.of(500, "5.5.2", "An empty line is no command")
UNKNOWN = Reply.of(500, "5.5.2", "Command not recognised")
NOT_HERE = Reply.of(502, "5.5.1", "Command not implemented")
NO_ARGUMENT = Reply.of(501, "5.5.4", "This command takes no argument")
NEEDS_ARGUMENT = Reply.of(501, "5.5.4", "This command needs an argument")
BAD_HELO = Reply.of(501, "5.5.4", "Say a domain name or an address literal")
BAD_BDAT = Reply.of(501, "5.5.4", "Syntax: BDAT octets [LAST]")
HELO_FIRST = Reply.of(503, "5.5.1", "Introduce yourself first")
MAIL_FIRST = Reply.of(503, "5.5.1", "Send MAIL first")
RCPT_FIRST = Reply.of(503, "5.5.1", "No valid recipients")
MAIL_TWICE = Reply.of(503, "5.5.1", "A transaction is open already; RSET ends it")
IN_BDAT = Reply.of(503, "5.5.1", "A BDAT sequence is open; send BDAT, or RSET")
TLS_TWICE = Reply.of(503, "5.5.1", "TLS is active already")
NO_TLS = Reply.of(502, "5.5.1", "STARTTLS is not offered")
TLS_NEEDED = Reply.of(530, "5.7.10", "REQUIRETLS needs STARTTLS first")
TOO_EARLY = Reply.of(503, "5.5.1", "Octets came before our reply: this command ends a pipelined group")
TOO_LARGE = Reply.of(552, "5.3.4", "The message is larger than we accept (see SIZE)")
TOO_MANY_ERRORS = Reply.of(421, "4.7.0", "Too many errors: closing the connection")
TOO_MANY_COMMANDS = Reply.of(421, "4.7.0", "Too many commands without a message: closing the connection")
TOO_MANY_MESSAGES = Reply.of(421, "4.7.0", "Enough messages for one connection; please connect again")
TROUBLE = Reply.of(451, "4.3.0", "Something went wrong on our side; please try again later")
TROUBLE_CLOSING = Reply.of(421, "4.3.0", "Something went wrong on our side; please try again later")
