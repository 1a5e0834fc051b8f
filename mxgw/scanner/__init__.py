"""The inspector at home: what the content scanner (Rspamd) says, and what of the edge's word is believed.

answer     Rspamd's answer as values, out of its JSON
judgement  from an answer to what is done with the message; pure
client     asks Rspamd over HTTP. The only module here that knows aiohttp
edgeword   the seal of the edge: what is believed, what must go
inspector  the four together, as mxgw.inspection wants it
"""
