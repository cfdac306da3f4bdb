"""What a web server hands over and takes back; nothing of any server in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def nothing_sent(_limit: int) -> bytes:
    return b""


@dataclass(frozen=True, kw_only=True)
class RawRequest:
    """One request, before anything in it was believed.

    `path` is percent-decoded, `query` is not. Header names are lower case; a header sent several
    times is one value joined by commas. `read_body(limit)` gives the next bytes, at
    most `limit`, and raises ValueError or OSError when the body breaks off.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    read_body: Callable[[int], bytes] = nothing_sent
    remote: str = ""

    def header(self, name: str) -> str | None:
        return self.headers.get(name)


@dataclass(frozen=True, kw_only=True)
class RawResponse:
    """One whole answer; the server adds Content-Length and nothing else."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
