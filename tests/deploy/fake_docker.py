#!/usr/bin/env python3
"""``docker`` for the tests: writes down how it was called, and a push puts the tag into ECR as moto has it.

DOCKER_LOG names the file of calls; DOCKER_FAILS a word whose command fails, as Docker words it.
"""

import json
import os
import sys

SAYS = {
    "version": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
    "Is the docker daemon running?",
    "build": "ERROR: failed to solve: python:3.11-slim-bookworm: no space left on device",
    "login": "Error response from daemon: login attempt failed with status: 400 Bad Request",
    "push": "denied: Your authorization token has expired. Reauthenticate and try again.",
    "socket": "permission denied while trying to connect to the Docker daemon socket",
}


def main() -> int:
    words = sys.argv[1:]
    stdin = sys.stdin.read() if "--password-stdin" in words else ""
    with open(os.environ["DOCKER_LOG"], "a", encoding="utf-8") as log:
        log.write(json.dumps({"words": words, "stdin": stdin}) + "\n")
    fails = os.environ.get("DOCKER_FAILS", "")
    if fails == words[0] or (fails == "socket" and words[0] == "version"):
        print(SAYS[fails], file=sys.stderr)
        return 1
    if words[0] == "push":
        import boto3

        name, _, tag = words[1].partition("/")[2].rpartition(":")
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"digest": f"sha256:{tag}"},
            "layers": [],
        }
        boto3.client("ecr").put_image(repositoryName=name, imageTag=tag, imageManifest=json.dumps(manifest))
    return 0


sys.exit(main())
