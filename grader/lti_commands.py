"""`grader lti`: the learning platforms that people may come to `grader serve` from.

Heavy imports wait until a command needs them.
"""

import time
from typing import Annotated

import typer

from grader.errors import UsageError
from grader.options import LanguageOption
from grader.report.escape import one_line
from grader.service_store import DatabaseOption, SealOption, store_of
from grader.text import say

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look after the learning platforms that people come to `grader serve` from.",
)


@app.command(short_help="Register a learning platform.")
def register(  # noqa: PLR0913, PLR0917 - what a platform is
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call the platform.")],
    issuer: Annotated[str, typer.Option(help="Its issuer, or platform ID, to the letter.")],
    client_id: Annotated[str, typer.Option(help="What it calls us: its client ID.")],
    deployment: Annotated[
        list[str],
        typer.Option(help="A deployment ID under which it sends people; may be given several times."),
    ],
    login_url: Annotated[str, typer.Option(help="Its authentication request URL.")],
    token_url: Annotated[str, typer.Option(help="Its access token URL.")],
    jwks_url: Annotated[str, typer.Option(help="Its public keyset URL.")],
    audience: Annotated[
        str, typer.Option(help="Whom our assertions are for, where that is not the access token URL.")
    ] = "",
    frame: Annotated[
        list[str] | None,
        typer.Option(
            help="A site that shows our pages in frames, where that is neither the issuer's nor the login's."
        ),
    ] = None,
    *,
    database: DatabaseOption = None,
    language: LanguageOption = None,
) -> None:
    """Register a learning platform, or change how it is registered; the deployments of before stay."""
    with store_of(database, language) as (store, spoken, _):
        from grader.lms.lti.records import Platform  # noqa: PLC0415
        from grader.web.frames import origin, origins  # noqa: PLC0415
        from grader.web.store import platforms  # noqa: PLC0415

        for url in (login_url, token_url, jwks_url, *(frame or ())):
            if origin(url) is None:
                raise UsageError("service-url-malformed", url=url)
        platform = Platform(
            issuer=issuer,
            client_id=client_id,
            deployments=tuple(deployment),
            login_url=login_url,
            token_url=token_url,
            jwks_url=jwks_url,
            token_audience=audience,
            name=name,
        )
        store.write(platforms.register, platform, origins(frame or ()))
        typer.echo(say("lti-registered", spoken, {"name": name, "issuer": issuer}))


@app.command(short_help="Let a platform register itself.")
def invite(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The service's address, as https://grader.example.org.")
    ],
    database: DatabaseOption = None,
    language: LanguageOption = None,
) -> None:
    """Show an address by which one platform can register itself (dynamic registration), within a day."""
    with store_of(database, language) as (store, spoken, _):
        from grader.lms.lti.tool import REGISTER, Tool  # noqa: PLC0415
        from grader.web.store import platforms  # noqa: PLC0415

        try:
            tool = Tool(base=url.rstrip("/"))
        except ValueError:
            raise UsageError("service-url-malformed", url=url) from None
        token = store.write(platforms.invite, time.time())
        typer.echo(say("lti-invited", spoken, {"url": f"{tool.base}{REGISTER}?invitation={token}"}))


@app.command(short_help="Add a deployment to a platform.")
def deployment(
    issuer: Annotated[
        str, typer.Argument(metavar="ISSUER", help="The platform, as `grader lti platforms` shows it.")
    ],
    client_id: Annotated[str, typer.Argument(metavar="CLIENT", help="What it calls us.")],
    id: Annotated[str, typer.Argument(metavar="DEPLOYMENT", help="The further deployment ID.")],
    database: DatabaseOption = None,
    language: LanguageOption = None,
) -> None:
    """Let a platform send people under a further deployment ID, too."""
    with store_of(database, language) as (store, spoken, _):
        from grader.web.store import platforms  # noqa: PLC0415

        name = store.write(platforms.add_deployment, issuer, client_id, id)
        typer.echo(say("lti-registered", spoken, {"name": name, "issuer": issuer}))


@app.command(short_help="List the platforms.")
def platforms(database: DatabaseOption = None, language: LanguageOption = None) -> None:
    """List the learning platforms that are registered."""
    with store_of(database, language) as (store, spoken, _):
        from grader.web.store import platforms as kept  # noqa: PLC0415

        for one in store.read(kept.registered):
            params = {
                "name": one.name,
                "issuer": one.issuer,
                "client": one.client_id,
                "deployments": ", ".join(one.deployments) or "–",
            }
            typer.echo(one_line(say("lti-platform-line", spoken, params)))


@app.command(short_help="Show our public keys.")
def keys(
    rotate: Annotated[
        bool,
        typer.Option("--rotate", help="Have a new key take over: published at once, it signs after a day."),
    ] = False,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help="Throw the keys away that there are, also sealed ones, and make new ones."
        ),
    ] = False,
    *,
    seal: SealOption = None,
    database: DatabaseOption = None,
    language: LanguageOption = None,
) -> None:
    """Show our public keys as a JWKS, as platforms fetch them from /lti/keys. They change by themselves every 90 days."""
    with store_of(database, language) as (store, _, _):
        from grader.lms.lti.signing import OurKeys  # noqa: PLC0415
        from grader.web.store import platforms as kept  # noqa: PLC0415
        from grader.web.store.remembered import Remembered  # noqa: PLC0415
        from grader.web.store.seals import seal_of  # noqa: PLC0415

        ours = OurKeys(Remembered(store, seal=seal_of(seal)))
        if anew:
            store.write(kept.forget_keys)
        if rotate:
            ours.turn(time.time())
        typer.echo(ours.published(time.time()).decode())
