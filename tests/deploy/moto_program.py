"""AWS for the tests of ``mxgw deploy``: moto's server in a process of its own, and what it lacks for them.

What moto does: stacks, change sets (without ``Replacement``), ECR, ECS, Secrets Manager, SSM, STS.
What is made up here: outputs and imports of stacks made by change sets; and, on order by POST /stand-in/...,
failing stacks and their events, errors of AWS by action, and replies of calls that moto does not have.
"""

from __future__ import annotations

import io
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from moto.cloudformation.models import CloudFormationBackend, Event, Stack, cloudformation_backends
from moto.ec2.models.vpcs import VPCBackend
from moto.ecr.models import ECRBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.ecs.moto_cloudformation import teach_moto

REGION, ACCOUNT = "ap-northeast-1", "123456789012"
NOT_IN_MOTO = {"times": -1, "code": "AccessDenied", "message": "moto does not have it"}
Environ = dict[str, Any]
Start = Callable[..., Any]


class StandIn:
    """A WSGI application before moto's."""

    def __init__(self, application: Callable[[Environ, Start], Iterable[bytes]]) -> None:
        self._application = application
        self._faults: dict[str, dict[str, Any]] = {}
        self._replies: dict[str, str] = {}
        self.failing: dict[str, Any] | None = None

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ["PATH_INFO"]
        if path.startswith("/stand-in/"):
            self._order(path.rpartition("/")[2], json.loads(body or b"{}"))
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"done"]
        target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
        found = re.search(rb"(?:^|&)Action=([A-Za-z]+)", body)
        action = target or (found[1].decode() if found else "")
        if fault := self._fault(action):
            return _error(fault, start, as_json=bool(target))
        if action in self._replies:
            start("200 OK", [("Content-Type", "text/xml")])
            return [self._replies[action].encode()]
        return self._application(environ, start)

    def _fault(self, action: str) -> dict[str, Any] | None:
        fault = self._faults.get(action)
        if fault is None or fault["times"] == 0:
            return None
        fault["times"] -= 1
        return fault

    def _order(self, name: str, given: dict[str, Any]) -> None:
        backend = cloudformation_backends[ACCOUNT][REGION]
        match name:
            case "fault":
                self._faults[given["action"]] = {"times": -1, **given}
            case "reply":
                self._replies[given["action"]] = given["xml"]
            case "fail":
                self.failing = given
            case "status":
                _stack(backend, given["stack"]).status = given["status"]
            case "clear":
                self._faults = {"SimulatePrincipalPolicy": dict(NOT_IN_MOTO)}
                self._replies.clear()
                self.failing = None


def _error(fault: dict[str, Any], start: Start, *, as_json: bool) -> list[bytes]:
    """An error as AWS words it, in the protocol of the service."""
    code, message = fault["code"], fault.get("message", "made up")
    status = f"{fault.get('status', 400)} Bad"
    if as_json:
        start(status, [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps({"__type": code, "message": message, "Message": message}).encode()]
    start(status, [("Content-Type", "text/xml")])
    said = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return [f"<ErrorResponse>{said}<RequestId>1</RequestId></ErrorResponse>".encode()]


def _stack(backend: CloudFormationBackend, name: str) -> Stack:
    return next(stack for stack in backend.stacks.values() if stack.name == name)


def teach_change_sets(patch: pytest.MonkeyPatch, stand_in: StandIn) -> None:
    """A stack made by a change set has its outputs, exports and parameters, as with AWS; and it may fail."""
    plain = CloudFormationBackend.execute_change_set

    def execute(backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = backend.describe_change_set(change_set_name)
        assert change_set is not None
        stack = backend.stacks[change_set.stack_id]
        failing = stand_in.failing
        if failing is not None and stack.name == failing["stack"]:
            stand_in.failing = None
            _fail(stack, failing, created=change_set.change_set_type == "CREATE")
            return
        stack.parameters = change_set.parameters
        # moto gives a stack made by a change set no exports of others.
        stack.cross_stack_resources = stack.resource_map.cross_stack_resources = backend.exports
        plain(backend, change_set_name, stack_name)
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        for export in stack.exports:
            backend.exports[export.name] = export

    patch.setattr(CloudFormationBackend, "execute_change_set", execute)
    # moto's balancers and tasks leave network interfaces behind when their stack goes, and it does not know
    # of EmptyOnDelete: neither VPC nor repository could be deleted.
    patch.setattr(VPCBackend, "delete_vpc", lambda backend, vpc_id: backend.vpcs.pop(vpc_id))
    delete_repository = ECRBackend.delete_repository

    def empty_and_delete(
        backend: ECRBackend, repository_name: str, registry_id: str | None = None, *_: Any, **__: Any
    ) -> Any:
        return delete_repository(backend, repository_name, registry_id, force=True)

    patch.setattr(ECRBackend, "delete_repository", empty_and_delete)


def _fail(stack: Stack, failing: dict[str, Any], *, created: bool) -> None:
    """A resource fails, others are cancelled after it, the stack goes back."""
    for name, kind, reason in failing["events"]:
        event = Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=name,
            physical_resource_id="",
            resource_type=kind,
            resource_status="CREATE_FAILED" if created else "UPDATE_FAILED",
            resource_status_reason=reason,
            resource_properties=None,
        )
        stack.events.append(event)
    stack.status = "ROLLBACK_COMPLETE" if created else "UPDATE_ROLLBACK_COMPLETE"
    stack._add_stack_event(stack.status)


def main() -> None:
    """Serve on a port of loopback until ended; "ready" on stdout when it may be asked."""
    warnings.simplefilter("ignore")
    patch = pytest.MonkeyPatch()
    teach_moto(patch)
    stand_in = StandIn(DomainDispatcherApplication(create_backend_app))
    teach_change_sets(patch, stand_in)
    server = make_server("127.0.0.1", int(sys.argv[1]), stand_in, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
