"""Names for the files of students: safe on every system, and the same in each batch."""

import hashlib
import re

# As it stands, no two such names are one on a system that does not tell capitals or Unicode's forms apart.
PLAIN = re.compile(r"(?!.*--)[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?")
# What Windows calls its devices, whatever follows a dot.
DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")
UNSAFE = re.compile(r"[^a-z0-9]+")
LONGEST = 40


def file_name(student: str) -> str:
    """A name made of a student's id: itself where that is safe, else what is safe of it and a hash of all of it.

    The two kinds cannot meet, since only the second has `--` in it.
    """
    if PLAIN.fullmatch(student) and not DEVICES.fullmatch(student):
        return student
    safe = UNSAFE.sub("-", student.lower())[:LONGEST].strip("-") or "student"
    return f"{safe}--{hashlib.sha256(student.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"
