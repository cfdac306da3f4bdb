"""What is wrong with a field, in the reader's language.

Schemas say it in English, as the API does. What has no words here is told as a field that needs
another look: the reader sees which one, in their own language.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_Said = Sequence[tuple[re.Pattern[str], str]]

_ANY: Final[Mapping[str, str]] = {"es": "Este dato necesita otra mirada."}
_SAID: Final[Mapping[str, _Said]] = {
    "es": [
        (re.compile(english), spanish)
        for english, spanish in (
            (r"Missing data for required field\.", "Hace falta este dato."),
            (r"Give this or age_band\.", "Hace falta este dato."),
            (r"Field may not be null\.", "Hace falta este dato."),
            (r"Shorter than minimum length 1\.", "Hace falta este dato."),
            (r"Shorter than minimum length (\d+)\.", r"Necesita al menos \1."),
            (r"Longer than maximum length (\d+)\.", r"Es demasiado largo: como mucho \1."),
            (r"Must be one of: .*", "Elija una de las opciones."),
            (r"Not a valid choice\.", "Elija una de las opciones."),
            (r"Not one of the buttons\.", "Elija uno de los botones."),
            (r"Not one of this page's steps\.", "Elija uno de los pasos de la página."),
            (r"Not a valid date\.", "No es una fecha."),
            (r"Not a valid time\.", "No es una hora."),
            (r"Not a valid integer\.", "No es un número entero."),
            (r"Not a valid email address\.", "No es una dirección de correo."),
            (r"Not a phone number\.", "No es un número de teléfono."),
            (r"Not a known postal code\.", "No es un código postal conocido."),
            (r"Not a language tag \(BCP 47\)\.", "No es el código de un idioma."),
            (r"Not a BCP 47 language tag\.", "No es el código de un idioma."),
            (r"Not a known time zone\.", "No es una zona horaria conocida."),
            (r"Must be greater than or equal to (\d+)\.", r"Tiene que ser \1 o más."),
            (r"Must be less than or equal to (\d+)\.", r"Tiene que ser \1 o menos."),
            (r"Not a whole PDF, JPEG or PNG file\.", "No es un archivo PDF, JPEG o PNG entero."),
            (r"Larger than (\d+) MB\.", r"Ocupa más de \1 MB."),
            (r"Lies in the future\.", "Está en el futuro."),
            (r"Lies in the past\.", "Está en el pasado."),
            (r"Has to be a day within the coming year\.", "Tiene que ser un día del año próximo."),
            (r"Say for which of your clinics\.", "Diga para cuál de sus clínicas."),
            (r"Another order than .* asks for a reason\.", "Otro orden necesita un motivo."),
        )
    ]
}


def mistake_in(language: str, english: str) -> str:
    """The sentence in that language; English stays as it is."""
    for pattern, said in _SAID.get(language, ()):
        found = pattern.fullmatch(english)
        if found:
            return found.expand(said)
    return _ANY.get(language, english)
