"""LTI 1.3 Advantage, as the tool: launches, scores, rosters, the choice of an exercise, registration.

No web framework and no database is known here. What has to be remembered is asked of `grader.lms.lti.remembered`, and everything that
leaves this machine goes through `grader.lms.lti.outbound`. Times are seconds since 1970.
"""
