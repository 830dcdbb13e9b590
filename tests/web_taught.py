"""What each gets at the addresses of what teachers do, as in `tests.test_web_who` without who has signed out, in the order in which they are asked for there."""

TAUGHT = {
    ("GET", "/assignments/1/class"): (303, 403, 403, 200, 403, 404),
    ("GET", "/assignments/1/class/overview"): (303, 403, 403, 200, 403, 404),
    ("GET", "/assignments/1/class/similar/{one}/{other}.html"): (303, 403, 403, 404, 403, 404),
    ("GET", "/assignments/1/class/grades.csv"): (303, 403, 403, 200, 403, 404),
    ("GET", "/assignments/1/class/reports/{student}.html"): (303, 403, 403, 200, 403, 404),
    ("GET", "/assignments/1/students/{student}"): (303, 403, 403, 200, 403, 404),
    ("POST", "/assignments/1/students/{student}/override"): (401, 403, 403, 303, 403, 404),
    ("GET", "/assignments/1/exports"): (303, 403, 403, 200, 403, 404),
    ("POST", "/assignments/1/exports"): (401, 403, 403, 303, 403, 404),
    ("GET", "/assignments/1/exports/1"): (303, 403, 403, 200, 403, 404),
    ("GET", "/assignments/1/exports/1/file"): (303, 403, 403, 200, 403, 404),
    ("GET", "/assignments/1/reviews"): (303, 403, 403, 200, 403, 404),
    ("POST", "/attempts/1/review"): (401, 403, 403, 303, 403, 404),
    ("GET", "/assignments/1/regrade"): (303, 403, 403, 200, 403, 404),
    ("POST", "/assignments/1/regrade"): (401, 403, 403, 303, 403, 404),
    ("GET", "/attempts/1/regrade"): (303, 403, 403, 200, 403, 404),
    ("POST", "/attempts/1/regrade"): (401, 403, 403, 303, 403, 404),
    ("GET", "/regrades/1"): (303, 403, 403, 200, 403, 404),
    ("GET", "/regrades/1/attempts/1/report"): (303, 403, 403, 404, 403, 404),
    ("POST", "/regrades/1"): (401, 403, 403, 303, 403, 404),
}
# What the forms there are sent with.
FORM = {"score": "5", "reason": "because", "do": "drop", "seen": "1", "platform": "nbgrader"}
