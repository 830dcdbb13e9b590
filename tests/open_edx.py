"""A platform that we did not write: Open edX's, in a process of its own, started as
`python -m tests.open_edx TOOL_URL [KEYS_URL]`; the second where it reaches the keys of the tool otherwise than browsers do.

What it takes from the rest of Open edX (courses, blocks, external ids) is replaced here by one course with four people. It prints a line
of JSON, which says how it is registered, and serves until it is ended. Beside its own pages it has `/click`, which is the link in the
course, `/course`, a page that shows what is behind the link in a frame, and `/grades`, which is the gradebook.
"""

import copy
import json
import sys
from types import SimpleNamespace
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

BLOCK = "block-v1:grader+ML+1+type@lti_consumer+block@line"
APPS = ["auth", "contenttypes", "sessions"]
PEOPLE = {
    1: ("wei", "Wei Li", ["student"]),
    2: ("ana", "Ana García", ["instructor"]),
    3: ("mei", "Mei Wang", ["student"]),
    4: ("tom", "Tom Brown", ["student"]),
}
ROLES = {"wei": "student", "ana": "instructor", "mei": "student", "tom": "student"}


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def configure(base: str) -> None:
    """Django in memory, with the application in it."""
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["*"],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            *(f"django.contrib.{app}" for app in APPS),
            *("config_models", "rest_framework", "django_filters", "lti_consumer"),
        ],
        LTI_API_BASE=base,
        LTI_BASE=base,
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "crum.CurrentRequestUserMiddleware",
        ],
        PLATFORM_NAME="Open edX",
        ROOT_URLCONF="tests.open_edx",
        SECRET_KEY="not one",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        USAGE_ID_PATTERN=r"(?P<usage_id>(?:i4x://?[^/]+/[^/]+/[^/]+/[^@]+(?:@[^/]+)?)|(?:[^/]+))",
        USE_TZ=True,
    )
    django.setup()


def replace_the_rest(grades: dict[str, Any]) -> None:
    """What the application asks of the rest of Open edX."""
    from lti_consumer.plugin import compat, views

    def grade(user: str, score: float, most: float, comment: str) -> None:
        grades[user] = {"score": score, "of": most, "comment": comment}

    block = SimpleNamespace(
        accept_grades_past_due=True,
        display_name="Fit a line",
        has_score=True,
        is_past_due=lambda: False,
        max_score=lambda: 10,
        scope_ids=SimpleNamespace(usage_id=BLOCK),
        set_user_module_score=grade,
        weight=10,
    )
    people = {
        id: {"id": id, "username": name, "name": full, "email": f"{name}@example.org", "roles": roles, "profile": None}
        for id, (name, full, roles) in PEOPLE.items()
    }  # fmt: skip
    compat.load_enough_xblock = compat.load_block_as_user = lambda _: block
    compat.get_user_from_external_user_id = lambda id: id
    compat.get_course_members = lambda _: copy.deepcopy(people)
    compat.merge_course_forum_roles = lambda _, members: members
    views.LtiNrpsContextMembershipViewSet.attach_external_user_ids = _attach
    compat.nrps_pii_disallowed = lambda: True
    compat.user_has_studio_write_access = lambda *_: True


def _attach(view: object, members: dict[int, dict[str, Any]]) -> None:
    """The ids that tools know people by: here, their names."""
    for member in members.values():
        member["external_id"] = member["username"]


def registered(tool: str, keys: str) -> Any:
    """The registration of the tool, at the one block."""
    from lti_consumer.models import Lti1p3Passport, LtiConfiguration

    passport = Lti1p3Passport.objects.create(name="grader", lti_1p3_tool_keyset_url=keys)
    return LtiConfiguration.objects.create(
        version="lti_1p3",
        config_store="CONFIG_ON_DB",
        location=BLOCK,
        lti_1p3_passport=passport,
        lti_1p3_oidc_url=f"{tool}/lti/login",
        lti_1p3_launch_url=f"{tool}/lti/launch",
        lti_1p3_redirect_uris=[f"{tool}/lti/launch"],
        lti_advantage_ags_mode="declarative",
        lti_advantage_deep_linking_enabled=True,
        lti_advantage_deep_linking_launch_url=f"{tool}/lti/launch",
        lti_advantage_enable_nrps=True,
    )


def addresses(configuration: Any, grades: dict[str, Any]) -> list[Any]:
    """The application's own pages, the link in the course, and the gradebook."""
    from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
    from django.urls import include, path
    from django.utils.html import escape
    from lti_consumer.api import get_lti_1p3_content_url, get_lti_1p3_launch_start_url
    from lti_consumer.data import Lti1p3LaunchData

    def click(request: HttpRequest) -> HttpResponse:
        who = request.GET["who"]
        data = Lti1p3LaunchData(
            user_id=who,
            user_role=ROLES[who],
            config_id=configuration.config_id,
            resource_link_id=BLOCK,
            name=who.title(),
            email=f"{who}@example.org",
            context_id="course-v1:grader+ML+1",
            context_title="Machine learning",
            context_type=["course_offering"],
            launch_presentation_document_target="iframe",
        )
        choosing = "choose" in request.GET
        start = (
            get_lti_1p3_launch_start_url(data, deep_link_launch=True)
            if choosing
            else get_lti_1p3_content_url(data)
        )
        return HttpResponseRedirect(start)

    def course(request: HttpRequest) -> HttpResponse:
        link = escape(f"/click?{request.GET.urlencode()}")
        frame = f'<iframe src="{link}" title="Fit a line" width="100%" height="700"></iframe>'
        return HttpResponse(f'<!DOCTYPE html><html lang="en"><title>Course</title><h1>Week 1</h1>{frame}')

    return [
        path("course", course),
        path("api/", include("lti_consumer.plugin.urls", namespace="lti_consumer")),
        path("click", click),
        path("grades", lambda _: JsonResponse(grades)),
    ]


def main(tool: str, keys: str = "") -> None:
    """Serve until ended."""
    server = WSGIServer(("127.0.0.1", 0), Quiet)
    base = f"http://127.0.0.1:{server.server_port}"
    configure(base)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    grades: dict[str, Any] = {}
    call_command("migrate", verbosity=0)
    replace_the_rest(grades)
    configuration = registered(tool, keys or f"{tool}/lti/keys")
    # Its key is made when it is first asked for, which takes seconds on a busy machine.
    assert configuration.lti_1p3_public_jwk
    sys.modules["tests.open_edx"] = SimpleNamespace(urlpatterns=addresses(configuration, grades))  # type: ignore[assignment]
    server.set_app(get_wsgi_application())
    api = f"{base}/api/lti_consumer/v1"
    said = {
        "issuer": base,
        "client_id": configuration.lti_1p3_client_id,
        "deployments": ["1"],
        "login_url": f"{api}/launch/",
        "token_url": f"{api}/token/{configuration.passport_id}",
        "jwks_url": f"{api}/public_keysets/{configuration.passport_id}",
    }
    print(json.dumps(said), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
