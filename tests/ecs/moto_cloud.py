"""moto in the place of AWS, for the tests that make the stacks."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.ecs.moto_cloudformation import teach_moto

REGION = "ap-northeast-1"

_SKIPPING = re.compile(r"Tried to parse (\S+) but it's not supported")


@dataclass
class Cloud:
    """moto, and the types it passed over since it was last asked."""

    client: Callable[[str], Any]
    warned: list[warnings.WarningMessage]

    def skipped(self) -> set[str]:
        """The resource types passed over; every other warning is a mistake."""
        messages = [str(warning.message) for warning in self.warned]
        self.warned.clear()
        matches = [_SKIPPING.match(message) for message in messages]
        assert [text for text, match in zip(messages, matches, strict=True) if match is None] == []
        return {match[1] for match in matches if match}

    def create(self, stack: str, template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Create a stack; what describe-stacks says of it."""
        self.client("cloudformation").create_stack(
            StackName=stack,
            TemplateBody=template,
            Parameters=_entries(parameters),
            Capabilities=["CAPABILITY_IAM"],
        )
        return self.described(stack)

    def update(self, stack: str, template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Update a stack; what describe-stacks says of it."""
        self.client("cloudformation").update_stack(
            StackName=stack,
            TemplateBody=template,
            Parameters=_entries(parameters),
            Capabilities=["CAPABILITY_IAM"],
        )
        return self.described(stack)

    def described(self, stack: str) -> dict[str, Any]:
        """What describe-stacks says of a stack."""
        return dict(self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0])


def _entries(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


def outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    """The outputs of a described stack."""
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}


@contextmanager
def empty_cloud(patch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account in which there is nothing yet; the credentials are moto's."""
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    teach_moto(patch)
    with mock_aws(), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        yield Cloud(lambda service: boto3.client(service, region_name=REGION), warned)
