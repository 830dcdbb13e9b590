"""The mistakes that can be named, one file each, called after the offence. `grader.catalogue` finds them.

A file holds a docstring with the headings ## What it is, ## Why it matters, ## Example and ## Fix, and

    TEXT      the words in each language, a `Words`
    detect    (case) → the suspicions it has, none for most submissions
    repair    (case, suspicion) → ways to mend it, each a list of edits; left out where there is no mend
    TUNES     True for a number that suits one loop and not another, such as a learning rate; left out else

The example is a whole submission, and the test of the file: the line marked `# ←` is where the mistake is found.
"""
