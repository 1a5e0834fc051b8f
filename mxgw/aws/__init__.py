"""Values that are kept at AWS: read at the start, and looked at again while the gateway runs.

``AwsReader`` reads a parameter or a secret through botocore, the engine of boto3, which is loaded when the
first one is asked for and never otherwise. ``Poll`` looks again and keeps the last good value;
``domain_poll`` and ``certificate_poll`` do it for the settings that may change.
"""

from mxgw.aws.polling import Poll
from mxgw.aws.reader import AwsReader
from mxgw.aws.watching import certificate_poll, domain_poll

__all__ = ["AwsReader", "Poll", "certificate_poll", "domain_poll"]
