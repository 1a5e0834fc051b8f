"""The webmail as a reader has it: nginx and Roundcube of the stack before its Dovecot, Postfix and MariaDB.

Roundcube is Debian's package run by PHP's own server instead of the image's Apache; its settings are the
stack's, included as the image includes them. All of it shares the network namespace of a Household.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.dell.browser import Browser
from tests.dell.cells import HOSTNAME, VOLUME_OWNERS, Host, start_names
from tests.dell.certificates import Authority
from tests.dell.household import Household
from tests.dell.sendgrid import SendGrid
from tests.rig.process import ROOT, Child, ProgramError, Service, find_program
from tests.rig.rspamd import COMPILED

STACK = ROOT / "dell-stack"
PROGRAM = Path("/usr/share/roundcube")
PUBLIC = Path("/var/lib/roundcube/public_html")
PLUGINS = Path("/var/lib/roundcube/plugins")
PORT = 8000
RELAY = "smtp.sendgrid.net"
# As many as a page asks for at once.
PHP_WORKERS = "4"

# What the image's entrypoint makes out of its environment (its config.inc.php), in the words that matter.
IMAGE_CONFIGURATION = """\
<?php
$config['db_dsnw'] = 'mysql://roundcube:{password}@127.0.0.1:3306/roundcube';
$config['imap_host'] = 'ssl://dovecot:143';
$config['plugins'] = ['archive', 'zipdownload'];
$config['temp_dir'] = '{temp}';
$config['log_driver'] = 'stdout';
$config['skin'] = 'elastic';
include('{settings}');
// php -S has no stdout for its pages.
$config['log_driver'] = 'file';
$config['log_dir'] = '{log}';
"""


# Apache names the server as the client did; php -S as it was told to listen. The stack's own plugin stands
# beside those of the package.
AS_APACHE = """\
<?php
$_SERVER['SERVER_NAME'] = strtok($_SERVER['HTTP_HOST'] ?? '', ':');
define('RCUBE_PLUGINS_DIR', '{plugins}/');
"""

# What the tests' clamd takes for a virus; it knows no other.
VIRUS = "this text is the virus of the tests"
SIGNATURE = f"Test.Virus:0:*:{VIRUS.encode().hex()}\n"


class Webmail(Service):
    """The webmail in front of ``household``; ``url`` is where a browser of its namespace finds it.

    ``names`` starts the resolver of that namespace.
    """

    url = f"https://{HOSTNAME}/"

    def __init__(self, household: Household, *, names: Callable[[Host], Child] = start_names) -> None:
        self._start_names = names
        self._household = household
        self._host = household.host
        self._place = self._host.place
        for program, package in (("php", "php-cli"), ("nginx", "nginx-light")):
            find_program(program, package=package)
        if not PUBLIC.is_dir():
            find_program(str(PROGRAM / "index.php"), package="roundcube-core")
        directory = self._place.directory("webmail")
        self.log_directory = self._place.directory("webmail/log")
        self._names: Child | None = None
        self._relay_authority = Authority(self._place.directory("relay"))
        self.relay = SendGrid(self._relay_authority.pair(RELAY), key=self._host.environ["SENDGRID_API_KEY"])
        self._php = Child(
            [
                *(*self._host.into(), "php", "-c", str(STACK / "roundcube" / "php.ini")),
                *("-d", f"auto_prepend_file={self._first_page()}"),
                *("-S", f"127.0.0.1:{PORT}", "-t", str(PUBLIC)),
            ],
            words=directory / "php.words",
            environ=self._environ(),
        )
        self._nginx = Child(
            [*self._host.into(), str(STACK / "nginx" / "start.sh")],
            words=directory / "nginx.words",
            environ={
                "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
                "MAIL_HOSTNAME": HOSTNAME,
                "RUN": str(self._place.directory("webmail/nginx")),
                "UPSTREAM": f"127.0.0.1:{PORT}",
                "RESOLVER": "127.0.0.1",
                "RUN_USER": "www-data",
                "TLS_CERT": str(self.certificate),
                "TLS_KEY": str(self._place.path / "data" / "tls" / "key.pem"),
                "ACCESS_LOG": str(directory / "access.log"),
            },
        )

    @property
    def certificate(self) -> Path:
        return self._place.path / "data" / "tls" / "cert.pem"

    def start(self) -> None:
        self._start_sending()
        self._fill_database()
        self._place.file(
            "webmail/config/config.inc.php",
            IMAGE_CONFIGURATION.format(
                password=self._host.environ["ROUNDCUBE_DB_PASSWORD"],
                temp=self._place.directory("webmail/temp"),
                settings=STACK / "roundcube" / "mxgw.php",
                log=self.log_directory,
            ),
        )
        for name in ("defaults.inc.php", "mimetypes.php"):
            (self._place.path / "webmail" / "config" / name).symlink_to(Path("/etc/roundcube") / name)
        self._php.start(lambda: self._answers(PORT))
        self._nginx.start(
            lambda: (self._place.path / "webmail/nginx/nginx.pid").exists() and self._answers(443)
        )

    def close(self) -> None:
        for child in (self._nginx, self._php, self._names):
            if child is not None:
                child.stop()
        self.relay.close()

    def browser(self) -> Browser:
        return Browser({HOSTNAME: "127.0.0.1"}, trusted=self.certificate, prefix=self._host.into())

    def errors(self) -> str:
        """What Roundcube wrote down as wrong; not what PHP has against the age of Debian's PEAR."""
        path = self.log_directory / "errors.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join(line for line in lines if "PHP Deprecated" not in line)

    def forget_errors(self) -> None:
        (self.log_directory / "errors.log").unlink(missing_ok=True)

    def _first_page(self) -> Path:
        plugins = self._place.directory("webmail/plugins")
        for one in (*PLUGINS.iterdir(), STACK / "roundcube" / "mxgw_sharing"):
            (plugins / one.name).symlink_to(one)
        return self._place.file("webmail/first.php", AS_APACHE.format(plugins=plugins))

    def _answers(self, port: int) -> bool:
        try:
            self._household.connect(port).close()
        except OSError:
            return False
        return True

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "ROUNDCUBE_CONFIG_DIR": str(self._place.path / "webmail" / "config"),
            "PHP_CLI_SERVER_WORKERS": PHP_WORKERS,
            "PHP_INI_SCAN_DIR": "/etc/php/8.2/cli/conf.d",
            "MAIL_HOSTNAME": HOSTNAME,
            "MAIL_CA_FILE": str(self._place.path / "authority.pem"),
            "ROUNDCUBE_DES_KEY": "thirty-two-characters-of-the-tests",
            "ROUNDCUBEMAIL_DB_HOST": "127.0.0.1",
            "ROUNDCUBEMAIL_DB_PASSWORD": self._host.environ["ROUNDCUBE_DB_PASSWORD"],
            "WEBMAIL_IMAP": "ssl://127.0.0.1:993",
            "WEBMAIL_SMTP": "ssl://127.0.0.1:465",
            "WEBMAIL_SIEVE": "tls://127.0.0.1:4190",
            "WEBMAIL_PROXY": "127.0.0.1",
        }

    def _start_sending(self) -> None:
        """Postfix between the scanner and the relay; what Rspamd compiles is taken from an earlier test."""
        self._names = self._start_names(self._host)
        for path in COMPILED.glob("*.*"):
            shutil.copy(path, self._host.data / "rspamd")
            os.chown(self._host.data / "rspamd" / path.name, *VOLUME_OWNERS["rspamd"])
        signatures = self._place.file("data/clamav/test.ndb", SIGNATURE)
        os.chown(signatures, *VOLUME_OWNERS["clamav"])
        for service in ("redis", "clamav", "rspamd"):
            self._host.cell(service).start()
        self._place.directory("data/postfix")
        # Threads stay in the network that they were made in.
        with self._host.inside():
            self.relay.start()
        with (self._place.path / "hosts").open("a") as hosts:
            hosts.write(f"127.0.0.1 {RELAY}\n")
        postfix = self._host.compose["services"]["postfix"]["environment"]
        # All names are one machine here, and Postfix itself has 587.
        assert postfix["RELAY_HOST"] == f"[{RELAY}]:587"
        postfix["RELAY_HOST"] = f"[{RELAY}]:{self.relay.port}"
        image = {
            "/opt/postfix": STACK / "postfix",
            "/etc/ssl/certs/ca-certificates.crt": self._relay_authority.path,
        }
        self._host.cell("postfix", command=["/opt/postfix/entrypoint"], mounts=image).start()

    def _fill_database(self) -> None:
        """As the image does on its first start."""
        done = subprocess.run(
            [
                *(*self._host.into(), "mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1"),
                *("--user=roundcube", "roundcube"),
            ],
            input=(PROGRAM / "SQL" / "mysql.initial.sql").read_bytes(),
            env={**os.environ, "MYSQL_PWD": self._host.environ["ROUNDCUBE_DB_PASSWORD"]},
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise ProgramError(f"Roundcube's tables: {done.stderr.decode()}")
