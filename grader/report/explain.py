"""The page of a mistake, as Markdown: for `grader explain` and for the documentation."""

import re

from grader.catalogue import Mistake
from grader.model import Language

EXAMPLE = re.compile(r"^## Example\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)


class _Filled(dict[str, str]):
    """What stands in a sentence for a learner's own names and numbers."""

    def __missing__(self, key: str) -> str:
        return "w" if "name" in key else "…"


def page(mistake: Mistake, language: Language) -> str:
    """The documentation of a mistake in one language."""
    words = mistake.words[language]
    if language == "en":
        return f"# {mistake.name}\n\n{mistake.docs}\n"
    example = EXAMPLE.search(mistake.docs + "\n## ")
    code = example[1].strip() if example else ""
    why, fix = (text.format_map(_Filled()) for text in (words.why, words.fix))
    text = f"# {mistake.name}\n\n{words.title}。\n\n## 为什么重要\n\n{why}\n\n## 例子\n\n{code}\n\n## 怎么改\n\n{fix}\n"
    if mistake.known_misses:
        exercises = "、".join(f"`{slug}`" for slug in mistake.known_misses)
        text += f"\n## 已知遗漏\n\n在这些练习中可能指不出来：{exercises}。\n"
    return text
