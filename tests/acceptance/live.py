"""What the running services describe of themselves in their OpenAPI documents."""

import re
from dataclasses import dataclass
from typing import Any

from deploy.region.api import Api
from tests.acceptance.running import SERVICES


@dataclass(frozen=True)
class Operation:
    """One route or page of a running service, as its OpenAPI document describes it."""

    service: str
    method: str
    path: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.service}.{self.told['operationId']}"

    @property
    def is_page(self) -> bool:
        return not self.path.startswith("/api/")

    @property
    def roles(self) -> list[str]:
        return list(self.told.get("x-roles", ()))

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.told

    def at(self, ids: dict[str, str]) -> str:
        return self.path.format(**{name: ids[name] for name in self.parameters})


def live_operations(api: Api) -> list[Operation]:
    found = []
    for service in SERVICES:
        reply = api.call("GET", f"/api/{service}/openapi.json", by=None).expect(200)
        for path, methods in reply.body["paths"].items():
            found += [
                Operation(service, method.upper(), path, told)
                for method, told in methods.items()
                if method != "parameters"
            ]
    return found
