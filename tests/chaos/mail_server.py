"""The mail sink, slower or more forgetful while a file in its folder says so.

`python -m tests.chaos.mail_server`, with the sink's own arguments.
"""

import asyncio
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.machine import mail_sink

SILENT = "silent-after-success"
_SILENCE_SECONDS = 60.0


class UnsteadySink(mail_sink.Sink):
    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if (self.folder / SILENT).exists():
            await asyncio.sleep(_SILENCE_SECONDS)
        return answer


def main(arguments: list[str]) -> None:
    mail_sink.main(arguments, lambda folder: UnsteadySink(Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
