"""A real Chromium, spoken to over two pipes (Chrome DevTools Protocol): no port, no driver in between."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.rig.process import ProgramError, Service, Workplace, find_program

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.05


class Browser(Service):
    """One page of a Chromium without a window. ``names`` maps host names to addresses.

    ``trusted`` is the PEM certificate that it believes beside those of the great authorities. ``prefix`` runs
    it in another network namespace.
    """

    def __init__(self, names: dict[str, str], *, trusted: Path, prefix: Sequence[str] = ()) -> None:
        program = find_program("chromium", package="chromium")
        self._place = Workplace()
        rules = ", ".join(f"MAP {name} {address}" for name, address in names.items())
        self._to_browser, self._from_browser = os.pipe(), os.pipe()
        self._command = [
            *(*prefix, "bash", "-c", 'exec "$@" 3<&"$READ" 4>&"$WRITE"', "browser", program),
            *("--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run"),
            *("--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
            *("--disable-component-update", "--disable-extensions", "--lang=ja", "--accept-lang=ja"),
            *(f"--user-data-dir={self._place.path}/profile", f"--host-resolver-rules={rules}"),
            *(f"--ignore-certificate-errors-spki-list={_fingerprint(trusted)}", "--window-size=1280,800"),
        ]
        self._words = self._place.path / "words"
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        self._session = ""
        self._unread = b""
        self.complaints: list[str] = []

    def start(self) -> None:
        ends = (self._to_browser[0], self._from_browser[1])
        with self._words.open("wb") as words:
            self._process = subprocess.Popen(
                self._command,
                env={
                    **os.environ,
                    "READ": str(ends[0]),
                    "WRITE": str(ends[1]),
                    "HOME": str(self._place.path),
                },
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                pass_fds=ends,
                start_new_session=True,
            )
        for end in ends:
            os.close(end)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Log"):
            self._ask(f"{domain}.enable")

    def close(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE_SECONDS)
        for end in (self._to_browser[1], self._from_browser[0]):
            os.close(end)
        self._place.remove()

    def forget(self) -> None:
        """As a new reader: without the cookies of the one before."""
        self.open("about:blank")
        self._ask("Network.clearBrowserCookies")

    def open(self, url: str) -> None:
        """Go there, and wait until its scripts have run."""
        answer = self._ask("Page.navigate", url=url)
        if "errorText" in answer:
            raise ProgramError(f"{url}: {answer['errorText']}")
        self.wait("document.readyState === 'complete'")

    def value(self, script: str) -> Any:
        """What a JavaScript expression comes to."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise ProgramError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until a JavaScript expression is true, also over the change to another page."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if self.value(f"!!({condition})"):
                    return
            except ProgramError as wrong:
                # The page is just being exchanged, or has not what is asked for yet.
                last = str(wrong)
            else:
                last = "false"
            if time.monotonic() > end:
                raise ProgramError(
                    f"not within {PATIENCE_SECONDS:g} s: {condition}: {last}; {self.text()[:2000]}"
                )
            time.sleep(LOOK_SECONDS)

    def text(self, selector: str = "body") -> str:
        """What a reader sees of an element."""
        return str(self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        self.value(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.focus();"
            f" field.value = {json.dumps(text)};"
            " for (const kind of ['input', 'change'])"
            " field.dispatchEvent(new Event(kind, {bubbles: true})); })()"
        )

    def click(self, selector: str) -> None:
        self.wait(f"document.querySelector({json.dumps(selector)})")
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def choose_files(self, selector: str, *paths: Path) -> None:
        """As if the reader had picked files for a field of the form."""
        document = self._ask("DOM.getDocument")["root"]["nodeId"]
        node = self._ask("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self._ask("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def picture(self, path: Path) -> None:
        """A picture of the page as it is."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        request: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            request["sessionId"] = self._session
        os.write(self._to_browser[1], json.dumps(request).encode() + b"\0")
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            message = self._read(end, method)
            if message.get("id") == self._number:
                if "error" in message:
                    raise ProgramError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        """Keep what the browser has against the page: scripts that fail, content that is forbidden."""
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details)))
        elif message.get("method") == "Log.entryAdded":
            entry = message["params"]["entry"]
            if entry["level"] == "error":
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    def _read(self, end: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._from_browser[0]], [], [], max(0.0, end - time.monotonic()))
            octets = os.read(self._from_browser[0], 65536) if ready else b""
            if not octets:
                raise ProgramError(
                    f"Chromium did not answer {what}: {self._words.read_text(errors='replace')[-2000:]}"
                )
            self._unread += octets
        line, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


def _fingerprint(certificate: Path) -> str:
    """The public key as Chromium names it: base64 of SHA-256 of its SubjectPublicKeyInfo."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(info)
    return base64.b64encode(digest.finalize()).decode()
