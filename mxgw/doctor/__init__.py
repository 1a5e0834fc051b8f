"""``mxgw doctor``: looks at the edge and at domains from outside, as a sender does, and explains what it saw.

``visit`` and ``survey`` gather facts, ``edge_judge`` and ``domain_judge`` decide; a verdict names its
sentences by the keys of ``words``.
"""
