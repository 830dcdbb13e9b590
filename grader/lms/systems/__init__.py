"""The learning platforms, one file each; they are discovered (`grader.lms.recognise`).

A module here knows how its platform names the files that it gives out, and owes

    WORDS       what it is called, in each language
    attempt     path in the folder or archive → Attempt, or None for a name that does not follow its rule
    claims      the paths of all notebooks and modules → whether this platform wrote them

and reads nothing: a path is all that it sees.
"""
