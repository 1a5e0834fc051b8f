"""What we may do outside the house: keys and names out of the environment, each optional."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mxgw.admin.cloud import cloudflare, sendgrid
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"

CLOUDFLARE_TOKEN = "CLOUDFLARE_API_TOKEN"  # noqa: S105 - a name
SENDGRID_KEY = "SENDGRID_ADMIN_KEY"
SENDING_KEY = "SENDGRID_API_KEY"
REGION = "AWS_REGION"
DOMAINS_PARAMETER = "EDGE_DOMAINS_PARAMETER"
TLS_SECRET = "EDGE_TLS_SECRET"  # noqa: S105 - a name
ACME_EMAIL = "ACME_EMAIL"
POSTMASTER = "POSTMASTER_ADDRESS"
HOME_DOMAINS = "MAIL_DOMAINS"
SENDGRID_LIMIT = "SENDGRID_LIMIT"


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """Where AWS is, and as whom; without keys botocore finds its own."""

    region: str
    key_id: str = ""
    secret_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Every value may be "": then that part is not done by us."""

    cloudflare_token: str = field(default="", repr=False)
    sendgrid_key: str = field(default="", repr=False)
    sending_key: str = field(default="", repr=False)
    aws: AwsAccess = AwsAccess("")
    domains_parameter: str = ""
    tls_secret: str = ""
    acme_email: str = ""
    sendgrid_limit: str = ""
    cloudflare_url: str = cloudflare.BASE
    sendgrid_url: str = sendgrid.BASE
    acme_url: str = LETS_ENCRYPT

    @property
    def any(self) -> bool:
        """Whether a domain can be set up anywhere outside."""
        return bool(self.cloudflare_token or self.sendgrid_key or self.domains_parameter)


def cloud_settings(environ: Mapping[str, str]) -> CloudSettings:
    """Raises Refused where a value cannot be what it is called."""

    def text(name: str) -> str:
        return environ.get(name, "").strip()

    region = text(REGION) or text("AWS_DEFAULT_REGION")
    for name in (DOMAINS_PARAMETER, TLS_SECRET):
        if text(name) and not region:
            raise Refused("no-region", variable=REGION, other=name)
    return CloudSettings(
        cloudflare_token=_key(CLOUDFLARE_TOKEN, text(CLOUDFLARE_TOKEN)),
        sendgrid_key=_key(SENDGRID_KEY, text(SENDGRID_KEY)),
        sending_key=_key(SENDING_KEY, text(SENDING_KEY)),
        aws=AwsAccess(region, text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY")),
        domains_parameter=text(DOMAINS_PARAMETER),
        tls_secret=text(TLS_SECRET),
        acme_email=text(ACME_EMAIL),
        sendgrid_limit=text(SENDGRID_LIMIT),
        cloudflare_url=_url("CLOUDFLARE_API_URL", text("CLOUDFLARE_API_URL")) or cloudflare.BASE,
        sendgrid_url=_url("SENDGRID_API_URL", text("SENDGRID_API_URL")) or sendgrid.BASE,
        acme_url=_url("ACME_DIRECTORY", text("ACME_DIRECTORY")) or LETS_ENCRYPT,
    )


def _key(variable: str, text: str) -> str:
    """A key goes into a header: it is one word of printable ASCII."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Refused("bad-key-setting", variable=variable)
    return text


def _url(variable: str, text: str) -> str:
    if not text:
        return ""
    try:
        url = urlsplit(text)
        good = url.scheme in {"http", "https"} and bool(url.hostname) and (url.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise Refused("bad-url-setting", variable=variable, text=shown(text))
    return text.rstrip("/")
