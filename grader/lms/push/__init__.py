"""Grades sent to a learning platform by its own interface, for classes without LTI.

`platform` says what a platform is; `canvas` and `moodle` are two. `people` finds out whose a grade is there, `plan` what there is
to send, and `deliver` sends it.
"""
