"""Settings: what an administrator may say, parsed once into a frozen ``Config``.

``load`` reads the environment (``MXGW_*``) and a TOML file and returns a Config, or every mistake at once.
``SETTINGS`` is the table that the parser, ``mxgw check``, ``mxgw settings`` and the documentation share.
"""

from mxgw.config.domains import DomainList, DomainSource
from mxgw.config.forms import Address, HomeAddress, KeptKey, Pem, ScannerAddress
from mxgw.config.loading import ConfigMistake, default_hostname, load, origins
from mxgw.config.remote import Fetch, Parameter, Reference, Secret
from mxgw.config.rows import (
    AUTHENTICATION_CHECKS,
    CONFIG_VARIABLE,
    Check,
    DmarcPolicy,
    DnsblPolicy,
    LogFormat,
    NullMxPolicy,
    OnOff,
    Role,
    Setting,
    Unscanned,
    show,
)
from mxgw.config.settings import SETTINGS, Config

__all__ = [
    "AUTHENTICATION_CHECKS",
    "CONFIG_VARIABLE",
    "SETTINGS",
    "Address",
    "Check",
    "Config",
    "ConfigMistake",
    "DmarcPolicy",
    "DnsblPolicy",
    "DomainList",
    "DomainSource",
    "Fetch",
    "HomeAddress",
    "KeptKey",
    "LogFormat",
    "NullMxPolicy",
    "OnOff",
    "Parameter",
    "Pem",
    "Reference",
    "Role",
    "ScannerAddress",
    "Secret",
    "Setting",
    "Unscanned",
    "default_hostname",
    "load",
    "origins",
    "show",
]
