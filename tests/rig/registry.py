"""A registry of images at 127.0.0.1, read only (OCI distribution specification, "pull"): what dockerd is told
to ask in the place of Docker Hub (--registry-mirror), so that ``docker compose pull`` is the real thing.

What an engine has already it never fetches again, so of such images the manifest is enough. Of new ones there
is everything, as ``docker save`` writes it.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import shutil
import tarfile
import threading
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
# Not compressed: the layer is the file that docker save writes.
LAYER = "application/vnd.docker.image.rootfs.diff.tar"


class Registry:
    """``publish`` makes it serve an image; made within a network namespace, it answers there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._manifests: dict[str, bytes] = {}
        self.fetched: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._answer(self, body=True)

            def do_HEAD(self) -> None:
                outer._answer(self, body=False)

            def log_message(self, *_: object) -> None:
                """Not to stderr."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish_known(self, reference: str, inspected: dict[str, Any]) -> None:
        """What every engine here has: by ``docker image inspect`` of it."""
        layers = [(digest, 1) for digest in inspected["RootFS"]["Layers"]]
        self._publish(reference, (inspected["Id"], 1), layers)

    def publish(self, reference: str, saved: Path) -> None:
        """A new image, of ``docker save``."""
        place = self._directory / hashlib.sha256(str(saved).encode()).hexdigest()[:12]
        with tarfile.open(saved) as archive:
            for member in archive.getmembers():
                if member.isfile() and (content := archive.extractfile(member)) is not None:
                    target = place / member.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with target.open("wb") as file:
                        shutil.copyfileobj(content, file)
        told = json.loads((place / "manifest.json").read_text())[0]
        config, *layers = (self._blob(place / name) for name in [told["Config"], *told["Layers"]])
        self._publish(reference, config, layers)

    def _blob(self, path: Path) -> tuple[str, int]:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        # One layer may be in several images.
        path.replace(self._directory / digest)
        return f"sha256:{digest}", size

    def _publish(self, reference: str, config: tuple[str, int], layers: list[tuple[str, int]]) -> None:
        name, _, tag = reference.partition(":")
        described = [{"mediaType": LAYER, "digest": digest, "size": size} for digest, size in layers]
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": config[0], "size": config[1]},
                "layers": described,
            }
        ).encode()
        path = name if "/" in name else f"library/{name}"
        self._manifests[f"/v2/{path}/manifests/{tag}"] = manifest
        self._manifests[f"/v2/{path}/manifests/sha256:{hashlib.sha256(manifest).hexdigest()}"] = manifest

    def _answer(self, request: http.server.BaseHTTPRequestHandler, *, body: bool) -> None:
        path = request.path.partition("?")[0]
        kind, octets = "application/json", b"{}"
        if path in self._manifests:
            kind, octets = MANIFEST, self._manifests[path]
            self.fetched.append(path)
        elif "/blobs/sha256:" in path:
            blob = self._directory / path.rpartition(":")[2]
            if not blob.is_file():
                request.send_error(404)
                return
            kind, octets = "application/octet-stream", blob.read_bytes()
        elif path != "/v2/":
            request.send_error(404)
            return
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(octets)))
        request.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(octets).hexdigest()}")
        request.end_headers()
        if body:
            request.wfile.write(octets)
