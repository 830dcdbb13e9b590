"""The files that learning platforms take back, one platform a file; they are discovered (`grader.lms.upload`).

A module here owes

    WORDS         what its file is, in each language
    TITLE         what the platform calls itself
    FROM_TABLE    whether there is nothing to make without a table that the platform gave out
    fill          (table or None, grades, task) → Filled

A student without a score leaves the cell as it was: nothing that could not be graded becomes a zero.
"""
