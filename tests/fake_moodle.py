"""Moodle as far as grades are sent to it: its web services by REST, with errors that have the status 200."""

from collections.abc import Sequence
from typing import Any

from tests.fake_platform import TOKEN, Answer, Asked, Fake

COURSE, CMID, INSTANCE = 4, 88, 12
SERVER = "/webservice/rest/server.php"
FUNCTIONS = (
    "core_webservice_get_site_info",
    "core_enrol_get_enrolled_users",
    "mod_assign_get_assignments",
    "mod_assign_get_user_mappings",
    "mod_assign_save_grade",
)
EDITOR = "plugindata[assignfeedbackcomments_editor]"


def user(id: int, name: str, **keys: str) -> dict[str, Any]:
    return {"id": id, "fullname": name, "roles": [{"roleid": 5, "shortname": "student"}], **keys}


def failed(code: str, message: str, kind: str = "moodle_exception") -> Answer:
    return Answer(200, {"exception": kind, "errorcode": code, "message": message})


class FakeMoodle(Fake):
    """`saved`: the fields of each grade, by user; `numbers`: the assignment's own number of a user; `locked`: who gets none."""

    def __init__(self, *users: dict[str, Any], most: float = 10.0, comments: str = "1") -> None:
        super().__init__()
        self.users, self.most, self.comments = users, most, comments
        self.functions: Sequence[str] = FUNCTIONS
        self.numbers: dict[int, int] = {}
        self.saved: dict[int, dict[str, str]] = {}
        self.locked: set[int] = set()
        self.workflow = 0

    def is_write(self, asked: Asked) -> bool:
        return asked.fields.get("wsfunction") == "mod_assign_save_grade"

    def answer(self, asked: Asked) -> Answer:
        fields = asked.fields
        if asked.path != SERVER or asked.method != "POST":
            return Answer(404, "<html>Not found</html>")
        if fields.get("wstoken") != TOKEN:
            return failed("invalidtoken", "Invalid token - token not found")
        name = fields["wsfunction"]
        if name not in self.functions:
            return failed("accessexception", "Access control exception", "webservice_access_exception")
        return Answer(200, getattr(self, name)(fields))

    def core_webservice_get_site_info(self, _: dict[str, str]) -> Any:
        functions = [{"name": name, "version": "2024042200"} for name in self.functions]
        return {"sitename": "A school", "userid": 2, "siteurl": self.url, "functions": functions}

    def mod_assign_get_assignments(self, fields: dict[str, str]) -> Any:
        if fields["courseids[0]"] != str(COURSE):
            warning = {"item": "course", "itemid": 9, "warningcode": "2", "message": "User is not enrolled"}
            return {"courses": [], "warnings": [warning]}
        config = {
            "plugin": "comments",
            "subtype": "assignfeedback",
            "name": "enabled",
            "value": self.comments,
        }
        own = {"id": INSTANCE, "cmid": CMID, "course": COURSE, "name": "Task 1", "grade": self.most}
        own |= {"markingworkflow": self.workflow, "teamsubmission": 0, "configs": [{"id": 1} | config]}
        other = own | {"id": 88, "cmid": 90, "name": "Task 2"}
        return {"courses": [{"id": COURSE, "fullname": "ML", "assignments": [own, other]}], "warnings": []}

    def core_enrol_get_enrolled_users(self, fields: dict[str, str]) -> Any:
        assert fields["courseid"] == str(COURSE)
        return list(self.users)

    def mod_assign_get_user_mappings(self, fields: dict[str, str]) -> Any:
        assert fields["assignmentids[0]"] == str(INSTANCE)
        mappings = [{"id": number, "userid": user} for user, number in self.numbers.items()]
        return {"assignments": [{"assignmentid": INSTANCE, "mappings": mappings}], "warnings": []}

    def mod_assign_save_grade(self, fields: dict[str, str]) -> Any:
        needed = {
            "assignmentid",
            "userid",
            "grade",
            "attemptnumber",
            "addattempt",
            "workflowstate",
            "applytoall",
        }
        if missing := needed - set(fields):
            return failed("invalidparameter", f"Missing required key in single structure: {missing}").body
        if self.comments != "1" and any(name.startswith(EDITOR) for name in fields):
            return failed("invalidparameter", "Unexpected keys detected in parameter array.").body
        assert fields["assignmentid"] == str(INSTANCE)
        if int(fields["userid"]) in self.locked:
            return failed("nopermissions", "You do not currently have permissions to do that").body
        self.saved[int(fields["userid"])] = fields
        return None
