"""``mxgw deploy up``: the steps from an account to a running edge, each safe to repeat."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mxgw.admin.refusal import Refused
from mxgw.config.forms import domain_names
from mxgw.deploy.account import Account
from mxgw.deploy.image import PLATFORMS, Docker, choose_tag, source_digest
from mxgw.deploy.refusals import AwsRefused
from mxgw.deploy.secret_values import (
    MAX_OCTETS,
    Wanted,
    certificate_complete,
    certificate_value,
    chat_value,
    expires,
    tailscale_value,
)
from mxgw.deploy.settings import Settings, Templates
from mxgw.deploy.stack_state import StackFacts
from mxgw.deploy.stacks import Stacks, Wish
from mxgw.deploy.telling import State, Teller

ACTIONS = (
    "cloudformation:CreateChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudwatch:PutMetricAlarm",
    "ec2:AllocateAddress",
    "ec2:CreateVpc",
    "ec2:CreateSecurityGroup",
    "ecr:CreateRepository",
    "ecr:GetAuthorizationToken",
    "ecr:PutImage",
    "ecs:CreateCluster",
    "ecs:CreateService",
    "ecs:RegisterTaskDefinition",
    "elasticloadbalancing:CreateLoadBalancer",
    "application-autoscaling:RegisterScalableTarget",
    "events:PutRule",
    "iam:CreateRole",
    "iam:PassRole",
    "logs:CreateLogGroup",
    "secretsmanager:CreateSecret",
    "secretsmanager:PutSecretValue",
    "sns:CreateTopic",
    "ssm:PutParameter",
)
"""One or more of each service: what is missing is found before anything is made. Who lacks others hears it of
the step that needs them."""

MAX_SECRET_TRIES = 5


@dataclass(frozen=True, slots=True)
class Source:
    """What the image is made from; ``tag`` is version and digest, ``today`` the day of a fresh build."""

    checkout: Path
    version: str
    revision: str
    tag: str
    today: str

    @staticmethod
    def of(checkout: Path, version: str, revision: str, architecture: str) -> Source:
        """Of a checkout, today."""
        tag = f"{version}-{source_digest(checkout, architecture)}"
        return Source(checkout, version, revision, tag, f"{datetime.now(UTC):%Y%m%d}")


@dataclass(frozen=True, slots=True)
class Deployed:
    """What ``up`` leaves: both stacks, and the addresses of the edge."""

    base: StackFacts
    service: StackFacts
    addresses: tuple[str, ...]


class Deployment:
    """One deployment. Raises Refused where a step cannot be done."""

    def __init__(
        self,
        settings: Settings,
        templates: Templates,
        account: Account,
        teller: Teller,
        docker: Docker,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._templates = templates
        self._account = account
        self._teller = teller
        self._docker = docker
        self.stacks = Stacks(account, teller, sleep=sleep)

    def up(self, source: Source, *, fresh: bool) -> Deployed:
        """Everything but the look from outside."""
        self.check_account()
        self._check_docker(source, fresh=fresh)
        base = self._base()
        self._secrets(base)
        self._domains(base)
        tag = self._image(base, source, fresh=fresh)
        service = self.stacks.apply(self._service_wish(tag))
        self._teller.step("service", State.DONE, "service-there", stack=service.name, tag=tag)
        return Deployed(base, service, (base.outputs["MxAddressA"], base.outputs["MxAddressB"]))

    def plan(self, source: Source, *, fresh: bool) -> None:
        """What ``up`` would do; leaves nothing behind."""
        self.check_account()
        base = self._planned(self._base_wish)
        if base is None:
            self._teller.step("image", State.SKIPPED, "plan-image", tag=source.tag)
            count = len(self._templates.service.resources)
            self._teller.step("service", State.SKIPPED, "plan-service-later", count=count)
            return
        for wanted in self._wanted_secrets():
            state = self._account.secret(base.outputs[wanted.output])
            key = "secret-there" if state.value else "plan-secret"
            self._teller.step("secrets", State.SKIPPED, key, name=wanted.output)
        tag = self._tag(source, fresh=fresh)
        present = tag in (self._account.image_tags(self._repository(base)) or ())
        self._teller.step("image", State.SKIPPED, "image-there" if present else "plan-image", tag=tag)
        self._planned(lambda _: self._service_wish(tag))

    def _planned(self, wished: Callable[[StackFacts | None], Wish]) -> StackFacts | None:
        name, step = (wished(None).stack, wished(None).step)
        now = self.stacks.settled(step, name)
        wish = wished(now)
        preview = self.stacks.preview(wish, now)
        self.stacks.forget(wish, now, preview)
        if preview.empty:
            self._teller.step(step, State.SKIPPED, "stack-same", stack=name)
        else:
            self._teller.changes(name, preview.changes)
            self._teller.step(step, State.SKIPPED, "plan-stack", stack=name, count=len(preview.changes))
        return now

    # -- 1: who, where, with what ---------------------------------------------------------------------------

    def check_account(self) -> None:
        """Credentials, region, permissions."""
        self._teller.step("account", State.RUNNING, "account-asking")
        known = self._account.known_regions()
        if self._settings.region not in known:
            raise Refused("region-unknown", region=self._settings.region, known=", ".join(known))
        who = self._account.identity()
        facts = {"account": who.account, "arn": who.arn, "region": self._settings.region}
        self._teller.step("account", State.DONE, "account-there", **facts)
        if who.arn.endswith(":root"):
            self._teller.step("permissions", State.WARNING, "account-root")
            return
        try:
            denied = self._account.denied(who.principal, ACTIONS)
        except AwsRefused as refused:
            self._teller.step("permissions", State.WARNING, "permissions-unknown", code=refused.code or "-")
            return
        if denied:
            # Not refused: a policy for particular resources alone looks so, too.
            actions = ", ".join(denied)
            self._teller.step(
                "permissions", State.WARNING, "permissions-missing", arn=who.arn, actions=actions
            )
            return
        self._teller.step("permissions", State.DONE, "permissions-there", count=len(ACTIONS))

    def _check_docker(self, source: Source, *, fresh: bool) -> None:
        """Before anything is made, where an image will have to be built."""
        name = self._settings.base.get(
            "RepositoryName", self._templates.base.parameters["RepositoryName"].default
        )
        if self._tag(source, fresh=fresh) not in (self._account.image_tags(str(name)) or ()):
            self._docker.check()

    # -- 2: what must be there first ------------------------------------------------------------------------

    def _base_wish(self, now: StackFacts | None) -> Wish:
        parameters: dict[str, str | None] = dict(self._settings.base)
        if now is not None:
            # Changed by `mxgw admin domain` since: CloudFormation must not put the first value back.
            parameters["Domains"] = None
        return Wish("base", self._settings.base_stack, self._templates.base.text, parameters)

    def _base(self) -> StackFacts:
        now = self.stacks.made_usable("base", self._settings.base_stack)
        stack = self.stacks.apply(self._base_wish(now))
        self._teller.step("base", State.DONE, "base-there", stack=stack.name)
        if now is None:
            address = self._settings.base["AlertEmail"]
            self._teller.step("base", State.WARNING, "confirm-mail", address=address)
        return stack

    # -- 3: values ------------------------------------------------------------------------------------------

    def _wanted_secrets(self) -> list[Wanted]:
        chat = self._settings.base.get("ChatService", "none")
        return [
            Wanted("TailscaleSecretArn", "tailscale_secret_file", tailscale_value),
            *([Wanted("ChatSecretArn", "chat_secret_file", chat_value(chat))] if chat != "none" else []),
        ]

    def _secrets(self, base: StackFacts) -> None:
        for wanted in self._wanted_secrets():
            self._fill(base.outputs[wanted.output], wanted)
        self._seal_key(base.outputs["SealKeySecretArn"])
        if self._settings.chosen("TlsCertificate", self._templates.service) == "secret":
            self._certificate(base.outputs["TlsSecretArn"])
        self._teller.step("secrets", State.DONE, "secrets-there")

    def _fill(self, arn: str, wanted: Wanted) -> None:
        present, name = self._present(arn, wanted.output), wanted.output
        if present:
            self._teller.step("secrets", State.SKIPPED, "secret-there", name=name)
        else:
            present = self._given(wanted)
            self._account.put_secret(arn, present)
            self._teller.step("secrets", State.DONE, "secret-put", name=name)
        if wanted.parse is tailscale_value and expires(present):
            self._teller.step("secrets", State.WARNING, "tailscale-expires")

    def _present(self, arn: str, name: str) -> str:
        state = self._account.secret(arn)
        if state.going:
            raise Refused("secret-going", failure=True, name=name, arn=arn, region=self._settings.region)
        if state.absent:
            raise Refused("secret-absent", failure=True, name=name, arn=arn, stack=self._settings.base_stack)
        return (state.value or "").strip()

    def _given(self, wanted: Wanted) -> str:
        if wanted.file in self._settings.files:
            return wanted.parse(self._file(wanted.file))
        for _ in range(MAX_SECRET_TRIES):
            service = self._settings.base.get("ChatService", "")
            text = self._teller.secret(f"ask-{wanted.file.removesuffix('_file')}", service=service)
            if text is None:
                raise Refused("secret-needs-file", setting=wanted.file)
            try:
                return wanted.parse(text)
            except Refused as why:
                self._teller.refusal(why.key, **why.facts)
        raise Refused("too-many-tries")

    def _file(self, key: str) -> str:
        path = self._settings.files[key]
        try:
            octets = path.read_bytes()
            if len(octets) > MAX_OCTETS:
                raise ValueError
            return octets.decode()
        except (OSError, ValueError):
            raise Refused("secret-file-unreadable", setting=key, path=str(path)) from None

    def _seal_key(self, arn: str) -> None:
        """The template generates it; it is made again where somebody has emptied it."""
        if self._present(arn, "SealKeySecretArn"):
            self._teller.step("secrets", State.SKIPPED, "secret-there", name="SealKeySecretArn")
            return
        # Imported here: one call in the life of a deployment.
        import secrets

        self._account.put_secret(arn, secrets.token_hex(24))
        self._teller.step("secrets", State.DONE, "seal-key-made", name="SealKeySecretArn")

    def _certificate(self, arn: str) -> None:
        host = self._settings.service["MxHostname"]
        present = self._present(arn, "TlsSecretArn")
        if "certificate_file" in self._settings.files:
            value = certificate_value(
                self._file("certificate_file"), self._file("certificate_key_file"), host
            )
            if value != present:
                self._account.put_secret(arn, value)
                self._teller.step("secrets", State.DONE, "secret-put", name="TlsSecretArn")
                return
        elif not certificate_complete(present):
            raise Refused("certificate-needed", failure=True, host=host)
        self._teller.step("secrets", State.SKIPPED, "secret-there", name="TlsSecretArn")

    def _domains(self, base: StackFacts) -> None:
        name, wanted = base.outputs["DomainsParameterName"], self._settings.domains
        present = self._account.parameter(name)
        if present is None:
            self._account.put_parameter(name, ",".join(wanted))
            self._teller.step("domains", State.DONE, "domains-put", name=name, domains=", ".join(wanted))
            return
        try:
            accepted = domain_names(present)
        except ValueError as error:
            raise Refused("domains-broken", failure=True, name=name, why=str(error)) from None
        self._teller.step("domains", State.SKIPPED, "domains-there", domains=", ".join(accepted))
        missing = [domain for domain in wanted if domain not in accepted]
        if missing:
            self._teller.step(
                "domains", State.WARNING, "domains-missing", domains=", ".join(missing), name=name
            )

    # -- 4: the program -------------------------------------------------------------------------------------

    def _tag(self, source: Source, *, fresh: bool) -> str:
        running = self._account.stack(self._settings.service_stack)
        deployed = running.parameters.get("ImageTag", "") if running else ""
        return choose_tag(source.tag, deployed=deployed, today=source.today, fresh=fresh)

    @staticmethod
    def _repository(base: StackFacts) -> str:
        return base.outputs["RepositoryUri"].partition("/")[2]

    def _image(self, base: StackFacts, source: Source, *, fresh: bool) -> str:
        uri, tag = base.outputs["RepositoryUri"], self._tag(source, fresh=fresh)
        tags = self._account.image_tags(self._repository(base))
        if tags is None:
            raise Refused("repository-missing", failure=True, name=self._repository(base), stack=base.name)
        if tag in tags:
            self._teller.step("image", State.SKIPPED, "image-there", tag=tag)
            return tag
        self._docker.check()
        image = f"{uri}:{tag}"
        self._teller.step("image", State.RUNNING, "image-building", tag=tag)
        architecture = self._settings.chosen("CpuArchitecture", self._templates.service)
        self._docker.build(
            source.checkout,
            image,
            platform=PLATFORMS[architecture],
            version=source.version,
            revision=source.revision,
            fresh=fresh,
        )
        self._teller.step("image", State.RUNNING, "image-pushing", tag=tag)
        self._docker.login(uri.partition("/")[0], self._account.registry_password())
        self._docker.push(image)
        self._teller.step("image", State.DONE, "image-pushed", tag=tag)
        return tag

    # -- 5: the edge ----------------------------------------------------------------------------------------

    def _service_wish(self, tag: str) -> Wish:
        parameters: dict[str, str | None] = {**self._settings.service, "ImageTag": tag}
        return Wish("service", self._settings.service_stack, self._templates.service.text, parameters)
