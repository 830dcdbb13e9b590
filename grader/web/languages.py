"""In which language a visitor is spoken to."""

from typing import get_args

from starlette.requests import Request

from grader.model import Language

PARAMETER = COOKIE = "language"


def spoken(request: Request) -> Language:
    """What was asked for by `?language=`, or once before, else what the platform said that they came from, or the browser prefers."""
    asked = (request.query_params.get(PARAMETER), request.cookies.get(COOKIE))
    for chosen in (*asked, getattr(request.state, "language", None)):
        if (language := _known(chosen)) is not None:
            return language
    return preferred(request.headers.get("accept-language", ""))


def chosen(request: Request) -> Language | None:
    """The language that this request asks for by name."""
    return _known(request.query_params.get(PARAMETER))


def of_locale(locale: str | None) -> Language | None:
    """The language of a locale such as `zh_CN`, if it is one of those there are."""
    return _known((locale or "").lower().replace("_", "-").partition("-")[0])


def preferred(accepted: str) -> Language:
    """The language that an Accept-Language header likes best, among those there are."""
    best: tuple[float, Language] = (0.0, "en")
    for part in accepted.split(","):
        tag, _, quality = part.partition(";")
        language = _known(tag.strip().lower().partition("-")[0])
        weight = _weight(quality)
        if language is not None and weight > best[0]:
            best = weight, language
    return best[1]


def _known(tag: str | None) -> Language | None:
    return next((language for language in get_args(Language) if language == tag), None)


def _weight(quality: str) -> float:
    _, _, value = quality.partition("q=")
    try:
        return float(value) if value else 1.0
    except ValueError:
        return 0.0
