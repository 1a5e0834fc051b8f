"""Who has a mailbox at home: users, aliases and domains in MariaDB, and what DNS must say of a domain.

Dovecot and Postfix read what is written here. Every text for people stands in ``mxgw.admin.words``.
"""
