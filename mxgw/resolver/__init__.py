"""DNS as message authentication needs it: five kinds of question, and answers that tell "no" from "not now".

``Lookup`` is what checks ask; it is bounded per message. The answers are values; nothing raises for what a
stranger's zone holds.
"""

from mxgw.resolver.answers import Answer, Lookup, MailExchanger, Status

__all__ = ["Answer", "Lookup", "MailExchanger", "Status"]
