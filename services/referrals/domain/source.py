"""How a referral and a consent reached us; and what counts as a scan of a paper consent."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

MEBIBYTE: Final = 1024 * 1024
LARGEST_SCAN_BYTES: Final = 5 * MEBIBYTE
# A PDF that ends before its end was cut off on its way here.
PDF_TAIL_BYTES: Final = 1024


class Source(StrEnum):
    """The way by which a referral came in."""

    CLINIC = "clinic"
    EMAIL = "email"
    FAX = "fax"
    PHONE = "phone"
    POST = "post"
    IN_PERSON = "in-person"
    SELF = "self"
    RELATIVE = "relative"
    IMPORT = "import"


class Evidence(StrEnum):
    """By what we know that the person agreed."""

    CLINIC_RECORD = "clinic-record"
    PAPER = "paper"
    SPOKEN = "spoken"
    OWN_FORM = "own-form"
    LINK = "link"


# What staff may key in for a clinic, and what shows its consent unless they say otherwise.
KEYED_IN: Final[Mapping[Source, Evidence]] = {
    Source.EMAIL: Evidence.PAPER,
    Source.FAX: Evidence.PAPER,
    Source.POST: Evidence.PAPER,
    Source.PHONE: Evidence.SPOKEN,
    Source.IN_PERSON: Evidence.SPOKEN,
}
TOLD_BY_STAFF: Final = (Evidence.CLINIC_RECORD, Evidence.PAPER, Evidence.SPOKEN)


class MediaType(StrEnum):
    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"


FILE_ENDINGS: Final[Mapping[MediaType, str]] = {
    MediaType.PDF: "pdf",
    MediaType.JPEG: "jpg",
    MediaType.PNG: "png",
}


def media_type(content: bytes) -> MediaType | None:
    """Tell the kind of a scan by what is in it; its name and stated type prove nothing."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-PDF_TAIL_BYTES:]:
        return MediaType.PDF
    if content.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"):
        return MediaType.PNG
    return None
