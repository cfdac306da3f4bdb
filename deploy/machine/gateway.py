"""The gateway: nginx with a configuration rendered for the replicas that run."""

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGQUIT

from deploy.machine.environment import server_environment
from deploy.machine.ports import LOOPBACK, answers
from deploy.machine.processes import Program
from deploy.machine.run_folder import CannotStart, write_atomically
from deploy.machine.unprivileged import unprivileged
from deploy.menu import FILE as MENU
from services.chassis.assets import STYLESHEET, stylesheet
from services.chassis.pages import POLICY

TEMPLATE = Path(__file__).parents[1] / "gateway" / "nginx.conf"
BINARY = Path("/usr/sbin/nginx")

# A link's secret begins with its service's letter.
LINK_LETTERS = {"referrals": "r", "matching": "m", "scheduling": "s", "notifications": "n"}

# Pages alone may have parts of other services put in. A part has a place of its own, because what
# stands for a part that is not to be had must not stand for the page that nobody may ask for.
_LOCATION = """\
        location ~ ^(/api/{name}(/|$)|/l/{letter}-|/health/{name}/(live|ready)$) {{
            set $service {name};
            proxy_pass http://{name};
        }}
        location ~ ^/{name}/fragments/ {{
            internal;
            rewrite ^ /.part$uri last;
        }}
        location ~ ^/\\.part/{name}/ {{
            internal;
            set $service {name};
            rewrite ^/\\.part(/.*)$ $1 break;
            proxy_pass http://{name};
            proxy_connect_timeout 300ms;
            proxy_read_timeout 700ms;
            proxy_next_upstream_tries 1;
            # What was typed for the page is none of the part's owner's business. Headers set here
            # take the place of all that are set above.
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Content-Type "";
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Request-ID $request_id;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Kindred-Purpose "";
            proxy_intercept_errors on;
            error_page 303 400 401 403 404 500 502 503 504 =200 /.nothing;
        }}
        location ~ ^/{name}(/|$) {{
            set $service {name};
            ssi on;
            # Their tokens look different each time, so that the size tells nothing (BREACH).
            gzip on;
            gzip_min_length 1000;
            ssi_silent_errors on;
            proxy_pass http://{name};
        }}
"""
# The start, and where one signs in and out, lie with the service that has those pages.
SIGN_IN = "referrals"
_HELP_LINES = Path(__file__).parents[1] / "help_lines.json"
# What the pages of all services have in common.
PAGE_SETTINGS = {
    "KINDRED_SIGN_IN": SIGN_IN,
    "KINDRED_MENU": str(MENU),
    "KINDRED_HELP_LINES": str(_HELP_LINES),
}
# What anybody may ask for without an account, so not too often.
_SIGN_IN_LOCATION = """\
        location ~ ^/(|sign-in|sign-in/start|sign-in/callback|sign-out|referrals/self/[^/]+)$ {{
            set $service {name};
            limit_req zone=sign_in burst=10 nodelay;
            proxy_pass http://{name};
        }}
"""
# Files come with these: as large as the service takes them in base64, and in memory like all else.
_UPLOADS = {"referrals": r"(/api/referrals)?/referrals/[^/]+/consent-scan"}
_UPLOAD_LOCATION = """\
        location ~ ^({paths})$ {{
            set $service {name};
            client_max_body_size 8m;
            client_body_buffer_size 8m;
            proxy_pass http://{name};
        }}
"""
# nginx's own codes, what is answered for them, and after how many seconds to come again.
_PROBLEMS = (
    ("400 494 495 496 497", 400, "The request cannot be read.", 0),
    ("404", 404, "There is nothing here.", 0),
    ("405", 405, "This method is not known here.", 0),
    ("408", 408, "The request took too long to arrive.", 0),
    ("413", 413, "The request is too large.", 0),
    ("414", 414, "The address is too long.", 0),
    ("429", 429, "These were too many tries at once; wait a little.", 30),
    ("500 501", 500, "Something went wrong here.", 0),
    ("502 503", 503, "The service is away for a moment; try again.", 2),
    ("504", 504, "The service did not answer in time; try again.", 2),
)


# For people, where their browser asks for a page.
_PAGE = (
    '<!doctype html><html lang="en" class="govuk-template"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<title>{title} – Kindred</title><link rel="stylesheet" href="/assets/{stylesheet}"></head>'
    '<body class="govuk-template__body"><div class="govuk-width-container">'
    '<main class="govuk-main-wrapper"><h1 class="govuk-heading-l">{title}</h1>'
    '<p class="govuk-body">Nothing was changed.</p></main></div></body></html>'
)


class _Template(string.Template):
    delimiter = "%"  # a dollar is nginx's own


def configuration(
    *,
    listen: str,
    upstreams: Mapping[str, Sequence[str]],
    folder: Path,
    assets: Path,
    access_log: str,
    error_log: str,
    workers: int = 1,
    user: str = "",
) -> str:
    """The whole configuration; `upstreams` lists each service's web addresses."""
    return _Template(TEMPLATE.read_text()).substitute(
        listen=listen,
        folder=folder,
        assets=assets,
        access_log=access_log,
        error_log=error_log,
        workers=workers,
        user=f"user {user};" if user else "",
        upstreams="".join(_upstream(name, web) for name, web in upstreams.items()),
        locations="\n".join(_locations(name) for name in upstreams),
        problems="\n".join(_problem(*problem) for problem in _PROBLEMS),
    )


def _upstream(name: str, addresses: Sequence[str]) -> str:
    servers = "".join(
        # A replica that is away refuses at once; shunned for a while, all might be shunned at once.
        f"        server {address} max_fails=0;\n"
        for address in addresses
    )
    return (
        f"    upstream {name} {{\n{servers}"
        "        keepalive 32;\n        keepalive_timeout 15s;\n    }\n"
    )


def _locations(name: str) -> str:
    """The service's paths; nginx takes the first that fits, so those of files come before."""
    paths = _UPLOADS.get(name)
    uploads = _UPLOAD_LOCATION.format(name=name, paths=paths) if paths else ""
    signing_in = _SIGN_IN_LOCATION.format(name=name) if name == SIGN_IN else ""
    return uploads + signing_in + _LOCATION.format(name=name, letter=LINK_LETTERS[name])


def _problem(codes: str, status: int, title: str, retry_after: int) -> str:
    """A page of its own address: a named location fails where the address was not read yet."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status})
    retry = f"            add_header Retry-After {retry_after} always;\n" if retry_after else ""
    page = _PAGE.format(title=title, stylesheet=STYLESHEET)
    return (
        f"        error_page {codes} ={status} /.problem/{status}$as_page;\n"
        f"        location = /.problem/{status} {{\n"
        "            internal;\n"
        "            default_type application/problem+json;\n"
        f"{retry}            return {status} '{body}';\n        }}\n"
        f"        location = /.problem/{status}.html {{\n"
        "            internal;\n"
        "            default_type text/html;\n"
        f'            add_header Content-Security-Policy "{POLICY}" always;\n'
        f"{retry}            return {status} '{page}';\n        }}\n"
    )


def write_assets(folder: Path, mode: int = 0o644) -> None:
    """The style sheet of all pages, under the name that they call it by."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / STYLESHEET, stylesheet().decode(), mode=mode)


@dataclass(frozen=True)
class Gateway:
    folder: Path
    logs: Path
    port: int
    upstreams: Mapping[str, Sequence[str]]

    def prepare(self) -> None:
        if not BINARY.exists():
            raise CannotStart("nginx is missing: install the package nginx-light.")
        account = unprivileged()
        write_assets(self.folder / "assets")
        account.own_all(self.folder)
        text = configuration(
            listen=f"{LOOPBACK}:{self.port}",
            upstreams=self.upstreams,
            folder=self.folder,
            assets=self.folder / "assets",
            access_log=f"{self.logs}/gateway-access.log",
            error_log=f"{self.logs}/gateway-error.log",
        )
        (self.folder / "nginx.conf").write_text(text)

    def program(self) -> Program:
        error_log = self.logs / "gateway-error.log"
        options: list[str | Path] = [
            "-p",
            self.folder,
            "-e",
            error_log,
            "-c",
            self.folder / "nginx.conf",
        ]
        return Program(
            name="gateway",
            command=[*unprivileged().prefix, BINARY, *options],
            log=self.logs / "gateway.log",
            environment=server_environment(),
            ports={"http": self.port},
            folder=self.folder,
            stop_signal=SIGQUIT,  # lets running requests end
            grace_seconds=5.0,
        )

    def is_ready(self) -> bool:
        return answers(self.port)
