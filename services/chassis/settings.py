"""The process's environment, read once; every setting is named in the README's table."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.help_lines import Help

CONSUME_BATCH = 400
RELAY_BATCH = 500


class WrongSetting(Exception):
    """Stops the start with one line that names every setting in trouble."""


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("is not host:port")
        return cls(host, int(port))


@dataclass(frozen=True)
class OidcSettings:
    """The identity provider, and who we are to it."""

    issuer: str
    client_id: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    database: str
    broker: str
    http: Address
    internal: Address
    token_keys: Path
    token_issuer: str
    service_key: Path
    link_key: str = field(repr=False)
    owners: Mapping[str, tuple[Address, ...]]
    public_url: str
    smtp: Address
    mail_from: str
    topology: Path
    pool_size: int
    consume_batch: int
    relay_batch: int
    sent_days: int
    journal: Path | None
    stuck_seconds: int
    demo: bool
    sign_in: str
    demo_accounts: Path | None
    menu: Path | None
    help_lines: Help | None
    oidc: OidcSettings | None
    pack_keys: Path | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read every KINDRED_ setting; raise WrongSetting naming all that are wrong."""
        reader = _Reader(os.environ if environment is None else environment)
        settings = cls(
            database=reader.text("DATABASE"),
            broker=reader.text("BROKER"),
            http=reader.address("HTTP", "127.0.0.1:8000"),
            internal=reader.address("INTERNAL", "127.0.0.1:8001"),
            token_keys=Path(reader.text("TOKEN_KEYS")),
            token_issuer=reader.text("TOKEN_ISSUER", "kindred"),
            service_key=Path(reader.text("SERVICE_KEY")),
            link_key=reader.secret("LINK_KEY"),
            owners=reader.owners("OWNERS"),
            public_url=reader.text("PUBLIC_URL", "http://127.0.0.1:8080").rstrip("/"),
            smtp=reader.address("SMTP", "127.0.0.1:25"),
            mail_from=reader.text("MAIL_FROM", "Kindred <appointments@kindred.example>"),
            topology=Path(reader.text("TOPOLOGY")),
            pool_size=reader.number("POOL_SIZE", 8, 1, 100),
            consume_batch=reader.number("CONSUME_BATCH", CONSUME_BATCH, 1, 1000),
            relay_batch=reader.number("RELAY_BATCH", RELAY_BATCH, 1, 5000),
            sent_days=reader.number("SENT_DAYS", 35, 1, 3650),
            journal=reader.optional_path("JOURNAL"),
            stuck_seconds=reader.number("STUCK_SECONDS", 30, 5, 3600),
            demo=reader.number("DEMO", 0, 0, 1) == 1,
            sign_in=reader.text("SIGN_IN", "nobody"),
            demo_accounts=reader.optional_path("DEMO_ACCOUNTS"),
            menu=reader.optional_path("MENU"),
            help_lines=reader.help("HELP_LINES"),
            oidc=reader.oidc(),
            pack_keys=reader.optional_path("PACK_KEYS"),
        )
        reader.raise_if_wrong()
        return settings


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[str] = []

    def raise_if_wrong(self) -> None:
        if self.problems:
            raise WrongSetting("Wrong settings: " + "; ".join(self.problems))

    def text(self, name: str, default: str | None = None) -> str:
        value = self.environment.get(f"KINDRED_{name}") or default
        if value is None:
            self.problems.append(f"KINDRED_{name} is missing")
        return value or ""

    def optional_path(self, name: str) -> Path | None:
        value = self.environment.get(f"KINDRED_{name}")
        return Path(value) if value else None

    def help(self, name: str) -> Help | None:
        path = self.optional_path(name)
        try:
            return Help.read(path) if path else None
        except (OSError, KeyError, TypeError, ValueError) as error:
            self.problems.append(f"KINDRED_{name} names no file of help lines: {error!r}")
            return None

    def oidc(self) -> OidcSettings | None:
        issuer = self.environment.get("KINDRED_OIDC_ISSUER")
        if not issuer:
            return None
        if not issuer.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            self.problems.append("KINDRED_OIDC_ISSUER is not an https:// address")
        secret = self.environment.get("KINDRED_OIDC_CLIENT_SECRET") or None
        return OidcSettings(issuer, self.text("OIDC_CLIENT_ID"), secret)

    def secret(self, name: str) -> str:
        value = self.text(name)
        if value and len(value) < 32:
            self.problems.append(f"KINDRED_{name} needs at least 32 characters")
        return value

    def address(self, name: str, default: str) -> Address:
        try:
            return Address.parse(self.text(name, default))
        except ValueError as error:
            self.problems.append(f"KINDRED_{name} {error}")
            return Address("", 0)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if text.isdigit() and least <= int(text) <= most:
            return int(text)
        self.problems.append(f"KINDRED_{name} is not a whole number from {least} to {most}")
        return default

    def owners(self, name: str) -> dict[str, tuple[Address, ...]]:
        """Read `service=host:port,host:port;service=…`, the internal addresses of each service."""
        owners: dict[str, tuple[Address, ...]] = {}
        for entry in filter(None, self.text(name, " ").strip().split(";")):
            service, _, addresses = entry.partition("=")
            try:
                owners[service] = tuple(Address.parse(text) for text in addresses.split(","))
            except ValueError as error:
                self.problems.append(f"KINDRED_{name}: the address of {service} {error}")
        return owners
