"""Handing a mail to the SMTP server, and what its answer means for the message."""

import smtplib
from enum import Enum
from types import TracebackType
from typing import Self

from services.chassis.settings import Address
from services.notifications.letters import Letter

TIMEOUT_SECONDS = 10.0
# A slow server may use the whole time for each of the steps of one mail: the greeting twice,
# sender, recipient, the mail in two, and starting over.
LONGEST_SECONDS = 8 * TIMEOUT_SECONDS


class Outcome(Enum):
    TAKEN = "taken"
    REFUSED = "refused"  # for good: this mailbox does not take it
    LATER = "later"  # not taken, and worth another try
    UNKNOWN = "unknown"  # perhaps taken: the answer got lost


class MailServer:
    """One connection, opened when first needed and again after a fault."""

    def __init__(self, address: Address, *, name: str) -> None:
        self._address = address
        self._name = name  # what we call ourselves; smtplib would ask the DNS
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    def hand_over(self, letter: Letter) -> Outcome:
        """Until the mail's last line nothing was taken; after it, only an answer tells."""
        try:
            connection = self._connected()
            refused = self._announce(connection, letter)
        except OSError:  # smtplib's own exceptions are of this kind too
            self._drop()
            return Outcome.LATER
        if refused:
            self._start_over(connection)
            return refused
        return self._transfer(connection, letter)

    def _announce(self, connection: smtplib.SMTP, letter: Letter) -> Outcome | None:
        """Name sender and recipient; only the recipient's refusal is about the person."""
        code, _ = connection.mail(letter.sender)
        if code != 250:
            return Outcome.LATER
        code, _ = connection.rcpt(letter.recipient)
        return None if code in {250, 251} else _refusal(code)

    def _transfer(self, connection: smtplib.SMTP, letter: Letter) -> Outcome:
        try:
            code, _ = connection.data(letter.content)
        except smtplib.SMTPDataError as error:
            self._start_over(connection)
            return _refusal(error.smtp_code)
        except OSError:
            self._drop()
            return Outcome.UNKNOWN
        if code == 250:
            return Outcome.TAKEN
        self._start_over(connection)
        return _refusal(code)

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            connection = smtplib.SMTP(local_hostname=self._name, timeout=TIMEOUT_SECONDS)
            code, _ = connection.connect(self._address.host, self._address.port)
            if code != 220:
                connection.close()
                raise smtplib.SMTPConnectError(code, b"")
            self._connection = connection
            connection.ehlo_or_helo_if_needed()
        return self._connection

    def _start_over(self, connection: smtplib.SMTP) -> None:
        try:
            connection.rset()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _refusal(code: int) -> Outcome:
    return Outcome.REFUSED if 500 <= code < 600 else Outcome.LATER
