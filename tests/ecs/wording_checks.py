"""Checks of what an administrator reads, and of what the base stack is made with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.ecs.deployment import Deployment

_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")

MAX_DESCRIPTION = 4000
"""Characters that CloudFormation takes as the description of a parameter."""


def parameters_are_described_twice(deployment: Deployment) -> Iterator[str]:
    """English first and in ASCII (CloudFormation gives back "?" for the rest), then Japanese."""
    for stack, template in deployment.templates.items():
        for name, parameter in template["Parameters"].items():
            english, _, japanese = parameter.get("Description", "").partition(" / ")
            if not english.isascii() or len(english) < 15 or not _JAPANESE.search(japanese):
                yield f"{stack}: {name} is not described in English and Japanese"
            if len(parameter.get("Description", "")) > MAX_DESCRIPTION:
                yield f"{stack}: the description of {name} is too long"
            if parameter["Type"] == "String" and not {"AllowedValues", "AllowedPattern"} & set(parameter):
                yield f"{stack}: {name} takes anything"
        groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        listed = [name for group in groups for name in group["Parameters"]]
        if sorted(listed) != sorted(template["Parameters"]):
            yield f"{stack}: the console's groups do not hold each parameter once"


def exports_are_used_and_imports_exported(deployment: Deployment) -> Iterator[str]:
    """An export cannot be changed while it is imported; one that nobody imports only binds."""
    if missing := [name for name in deployment.base.exports if not name.startswith("mxgw-base-")]:
        yield f"exports without the name of their stack: {missing}"
    text = repr(deployment.templates["service"])
    for name in deployment.base.exports:
        if "${BaseStackName}-" + name.removeprefix("mxgw-base-") not in text:
            yield f"nobody imports {name}"


def images_are_scanned_and_fixed(deployment: Deployment) -> Iterator[str]:
    """A tag names one image for ever, scanned when it was pushed; old ones go."""
    repository = deployment.base.only("AWS::ECR::Repository")
    if repository.get("ImageScanningConfiguration") != {"ScanOnPush": True}:
        yield "images are not scanned"
    if repository.get("ImageTagMutability") != "IMMUTABLE":
        yield "a tag may change its image: a rollback would start something else"
    if "imageCountMoreThan" not in str(repository.get("LifecyclePolicy")):
        yield "images pile up"
    if not deployment.mxgw["Image"].startswith("<base:Repository.RepositoryUri>:"):
        yield f"the gateway's image is {deployment.mxgw['Image']}"


def seal_key_is_made_by_aws(deployment: Deployment) -> Iterator[str]:
    """Long enough for mxgw, and of characters that need no quoting at home; nobody has to invent it."""
    secret = deployment.base.of_type("AWS::SecretsManager::Secret")["SealKeySecret"]
    made = secret.get("GenerateSecretString", {})
    if made.get("PasswordLength", 0) < 32 or made.get("ExcludePunctuation") is not True:
        yield f"the seal key is made with {made}"


def domains_can_be_read_and_changed(deployment: Deployment) -> Iterator[str]:
    """A plain parameter under a name that an administrator finds."""
    parameter = deployment.base.only("AWS::SSM::Parameter")
    found = (parameter["Name"], parameter["Type"], parameter["Value"])
    if found != ("/mxgw-base/domains", "String", "example.jp,example.com"):
        yield f"the domains are kept as {found}"


CHECKS = (
    parameters_are_described_twice,
    exports_are_used_and_imports_exported,
    images_are_scanned_and_fixed,
    seal_key_is_made_by_aws,
    domains_can_be_read_and_changed,
)
