"""Taking over a mailbox that is elsewhere, by IMAP."""
