"""The AWS account that is deployed to: requests, and failures as Refused. The only module with boto3."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mxgw.admin.refusal import Refused
from mxgw.deploy.refusals import AwsRefused, refused_by_aws
from mxgw.deploy.stack_state import Change, Event, StackFacts

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5.0, 30.0, 6
"""Six attempts with growing pauses outlast ordinary throttling: about half a minute."""

MAX_EVENTS = 500
"""Of one deployment; both templates together make some three events for each of 60 resources."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the account's number and the ARN of user or role."""

    account: str
    arn: str

    @property
    def principal(self) -> str:
        """The ARN that IAM knows: of a session, that of its role (where the role has no path)."""
        parts = self.arn.split(":", 5)
        if len(parts) == 6 and parts[5].startswith("assumed-role/"):
            return f"arn:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
        return self.arn


@dataclass(frozen=True, slots=True)
class Preview:
    """A change set that is there. ``empty``: nothing to change; ``failed``: why it is of no use."""

    id: str
    changes: tuple[Change, ...] = ()
    empty: bool = False
    failed: str = ""
    ready: bool = False


@dataclass(frozen=True, slots=True)
class SecretState:
    """``value`` is None where it has none."""

    value: str | None = None
    going: bool = False
    absent: bool = False


class Account:
    """One region of an account. Raises Refused, AwsRefused where AWS says no."""

    def __init__(self, region: str, profile: str = "") -> None:
        try:
            import boto3  # type: ignore[import-untyped]
        except ModuleNotFoundError:
            raise Refused("aws-extra-missing", failure=True) from None
        self.region = region
        with self._translated("sts:GetCallerIdentity"):
            self._session = boto3.session.Session(region_name=region, profile_name=profile or None)
        self._clients: dict[str, Any] = {}

    def known_regions(self) -> tuple[str, ...]:
        """Those that have ECS, as far as the installed boto3 knows."""
        return tuple(self._session.get_available_regions("ecs"))

    def identity(self) -> Identity:
        """Whose credentials these are."""
        said = self._ask("sts", "get_caller_identity", "sts:GetCallerIdentity")
        return Identity(said["Account"], said["Arn"])

    def denied(self, principal: str, actions: Sequence[str]) -> tuple[str, ...]:
        """Those of the actions that are not allowed. Raises AwsRefused where that cannot be asked."""
        said = self._ask(
            "iam",
            "simulate_principal_policy",
            "iam:SimulatePrincipalPolicy",
            PolicySourceArn=principal,
            ActionNames=list(actions),
        )
        return tuple(
            one["EvalActionName"] for one in said["EvaluationResults"] if one["EvalDecision"] != "allowed"
        )

    # -- stacks -------------------------------------------------------------------------------------------

    def stack(self, name: str) -> StackFacts | None:
        """By name or id; None where there is none."""
        try:
            said = self._cloudformation("DescribeStacks", StackName=name)["Stacks"][0]
        except AwsRefused as refused:
            if refused.code == "ValidationError" and "does not exist" in refused.said:
                return None
            raise
        return StackFacts(
            said["StackName"],
            said["StackId"],
            said["StackStatus"],
            said.get("StackStatusReason", ""),
            {one["ParameterKey"]: one["ParameterValue"] for one in said.get("Parameters", [])},
            {one["OutputKey"]: one["OutputValue"] for one in said.get("Outputs") or []},
        )

    def propose(
        self,
        stack: str,
        change_set: str,
        *,
        create: bool,
        template: str | None,
        parameters: Mapping[str, str | None],
    ) -> str:
        """Ask for a change set; its id. ``template`` None is the one in use, as is a parameter of None."""
        said = self._cloudformation(
            "CreateChangeSet",
            StackName=stack,
            ChangeSetName=change_set,
            ChangeSetType="CREATE" if create else "UPDATE",
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": name, "UsePreviousValue": True}
                if value is None
                else {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            **({"UsePreviousTemplate": True} if template is None else {"TemplateBody": template}),
        )
        return str(said["Id"])

    def preview(self, stack: str, change_set: str) -> Preview:
        """A change set as it is now, all its changes."""
        changes: list[Change] = []
        more: dict[str, str] = {}
        while True:
            said = self._cloudformation(
                "DescribeChangeSet", StackName=stack, ChangeSetName=change_set, **more
            )
            changes += [
                Change(
                    one["Action"],
                    one["LogicalResourceId"],
                    one.get("ResourceType", ""),
                    one.get("Replacement", ""),
                )
                for one in (
                    each["ResourceChange"] for each in said.get("Changes") or [] if "ResourceChange" in each
                )
            ]
            if not said.get("NextToken"):
                break
            more = {"NextToken": said["NextToken"]}
        reason = str(said.get("StatusReason") or "")
        failed = said["Status"] == "FAILED"
        empty = failed and ("didn't contain changes" in reason or "No updates are to be performed" in reason)
        return Preview(
            change_set,
            tuple(changes),
            empty,
            reason if failed and not empty else "",
            said["Status"] == "CREATE_COMPLETE",
        )

    def drop(self, stack: str, change_set: str) -> None:
        """Forget a change set."""
        self._cloudformation("DeleteChangeSet", StackName=stack, ChangeSetName=change_set)

    def execute(self, stack: str, change_set: str) -> None:
        """Begin it."""
        self._cloudformation("ExecuteChangeSet", StackName=stack, ChangeSetName=change_set)

    def delete(self, stack: str) -> None:
        """Begin to delete a stack."""
        self._cloudformation("DeleteStack", StackName=stack)

    def events(self, stack: str) -> list[Event]:
        """The latest of a stack (by name or id), the oldest first."""
        found: list[Event] = []
        more: dict[str, str] = {}
        while len(found) < MAX_EVENTS:
            said = self._cloudformation("DescribeStackEvents", StackName=stack, **more)
            found += [
                Event(
                    one["EventId"],
                    one.get("LogicalResourceId", ""),
                    one.get("ResourceType", ""),
                    one.get("ResourceStatus", ""),
                    one.get("ResourceStatusReason", ""),
                )
                for one in said["StackEvents"]
            ]
            if not said.get("NextToken"):
                break
            more = {"NextToken": said["NextToken"]}
        return found[::-1]

    def resources(self, stack: str) -> dict[str, str]:
        """Physical names by logical ones."""
        found: dict[str, str] = {}
        more: dict[str, str] = {}
        while True:
            said = self._cloudformation("ListStackResources", StackName=stack, **more)
            for one in said["StackResourceSummaries"]:
                found[one["LogicalResourceId"]] = one.get("PhysicalResourceId", "")
            if not said.get("NextToken"):
                return found
            more = {"NextToken": said["NextToken"]}

    # -- secrets and domains --------------------------------------------------------------------------------

    def secret(self, arn: str) -> SecretState:
        """Its value is for checks alone."""
        try:
            said = self._ask(
                "secretsmanager", "get_secret_value", "secretsmanager:GetSecretValue", SecretId=arn
            )
        except AwsRefused as refused:
            if refused.code == "InvalidRequestException" and "delet" in refused.said.lower():
                return SecretState(going=True)
            if refused.code == "ResourceNotFoundException":
                # "can't find the specified secret value for staging label": only the value lacks.
                lacks_value = "staging label" in refused.said
                return SecretState(absent=not lacks_value)
            raise
        return SecretState(str(said.get("SecretString", "")))

    def put_secret(self, arn: str, value: str) -> None:
        """A new version of it."""
        self._ask(
            "secretsmanager",
            "put_secret_value",
            "secretsmanager:PutSecretValue",
            SecretId=arn,
            SecretString=value,
        )

    def parameter(self, name: str) -> str | None:
        """A parameter of Systems Manager; None where there is none."""
        try:
            said = self._ask("ssm", "get_parameter", "ssm:GetParameter", Name=name)
        except AwsRefused as refused:
            if refused.code == "ParameterNotFound":
                return None
            raise
        return str(said["Parameter"]["Value"])

    def put_parameter(self, name: str, value: str) -> None:
        """Make it; one that is there stays as it is, and that is refused."""
        self._ask("ssm", "put_parameter", "ssm:PutParameter", Name=name, Value=value, Type="String")

    # -- images -------------------------------------------------------------------------------------------

    def image_tags(self, repository: str) -> tuple[str, ...] | None:
        """Of all images, the latest pushed first; None where there is no such repository."""
        images: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        try:
            while True:
                said = self._ask(
                    "ecr", "describe_images", "ecr:DescribeImages", repositoryName=repository, **more
                )
                images += said["imageDetails"]
                if not said.get("nextToken"):
                    break
                more = {"nextToken": said["nextToken"]}
        except AwsRefused as refused:
            if refused.code == "RepositoryNotFoundException":
                return None
            raise
        images.sort(key=lambda image: image["imagePushedAt"], reverse=True)
        return tuple(tag for image in images for tag in image.get("imageTags", []))

    def registry_password(self) -> str:
        """Of the user AWS, good for twelve hours."""
        said = self._ask("ecr", "get_authorization_token", "ecr:GetAuthorizationToken")
        return base64.b64decode(said["authorizationData"][0]["authorizationToken"]).decode().partition(":")[2]

    # -- tasks and alarms -----------------------------------------------------------------------------------

    def images_deployed(self, family: str, container: str) -> list[str]:
        """Image of a container in every revision of a task definition, the latest first, present and past."""
        found: list[tuple[int, str]] = []
        for status in ("ACTIVE", "INACTIVE"):
            said = self._ask(
                "ecs",
                "list_task_definitions",
                "ecs:ListTaskDefinitions",
                familyPrefix=family,
                status=status,
                sort="DESC",
                maxResults=20,
            )
            for arn in said["taskDefinitionArns"]:
                task = self._ask(
                    "ecs", "describe_task_definition", "ecs:DescribeTaskDefinition", taskDefinition=arn
                )["taskDefinition"]
                # The prefix may fit the family of another stack, too.
                if task["family"] == family:
                    found += [
                        (int(task["revision"]), str(one["image"]))
                        for one in task["containerDefinitions"]
                        if one["name"] == container
                    ]
        return [image for _, image in sorted(found, reverse=True)]

    def task_counts(self, cluster: str, service: str) -> tuple[int, int]:
        """Running and wanted."""
        said = self._ask(
            "ecs", "describe_services", "ecs:DescribeServices", cluster=cluster, services=[service]
        )
        for one in said["services"]:
            return int(one["runningCount"]), int(one["desiredCount"])
        return 0, 0

    def ringing(self, prefix: str) -> tuple[str, ...]:
        """Names of alarms that ring."""
        said = self._ask(
            "cloudwatch",
            "describe_alarms",
            "cloudwatch:DescribeAlarms",
            AlarmNamePrefix=prefix,
            StateValue="ALARM",
        )
        return tuple(one["AlarmName"] for one in said["MetricAlarms"])

    # -- asking -------------------------------------------------------------------------------------------

    def _cloudformation(self, action: str, **given: Any) -> Any:
        method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action)[1:]
        return self._ask("cloudformation", method, f"cloudformation:{action}", **given)

    def _ask(self, service: str, method: str, action: str, **given: Any) -> Any:
        with self._translated(action):
            call: Callable[..., Any] = getattr(self._client(service), method)
            return call(**given)

    def _client(self, service: str) -> Any:
        client = self._clients.get(service)
        if client is None:
            from botocore.config import Config  # type: ignore[import-untyped]

            limits = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            )
            client = self._clients[service] = self._session.client(service, config=limits)
        return client

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        import botocore.exceptions as failures  # type: ignore[import-untyped]
        from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

        expected = (failures.BotoCoreError, failures.ClientError, failures.HTTPClientError, OSError)
        try:
            yield
        except (*expected, ResponseParserError) as error:
            raise refused_by_aws(error, region=self.region, action=action) from None
